#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/signals.h"
#include "cutd/command.h"
#include "cutd/daemon.h"
#include "cutd/daemon_log.h"
#include "cutd/data_dir.h"
#include "cutd/listen_flags.h"
#include "cutd/service_manager.h"

namespace cutd {
namespace {

constexpr std::int64_t kStopSeconds = 120;

struct ServeCommandOptions {
  std::string data_dir;
  std::string engine;
  std::string schedules;
  bool verbose = false;
  bool quiet = false;
  ListenFlags listen;
};

int run_serve(const ServeCommandOptions& options) {
  const SignalWatch signals;
  const rlimit no_core = {0, 0};  // memory may hold keys and what people wrote
  ::setrlimit(RLIMIT_CORE, &no_core);
  ServiceManager manager;
  const SystemClock clock;
  make_data_dir(options.data_dir);
  DaemonLog logger(std::filesystem::path(options.data_dir) / "cutd.log",
                   options.verbose ? LogLevel::kDebug : LogLevel::kInfo, !options.quiet);
  Daemon daemon({std::filesystem::absolute(options.data_dir).lexically_normal(), options.engine, options.schedules,
                 options.listen.options()},
                clock, logger);
  daemon.begin();
  manager.ready(daemon.address().empty() ? "serving the Unix socket" : "serving " + daemon.address());
  std::int64_t pinged = 0;
  const auto failure = daemon.wait(signals.token(), [&] {
    const auto every = manager.ping_every_ms();
    if (!every || clock.boot_millis() - pinged < *every) return;
    manager.alive();
    pinged = clock.boot_millis();
  });
  daemon.drain();
  manager.stopping("finishing open requests and the present step", kStopSeconds);
  if (failure)
    throw Error(ErrorCode::kIo, *failure + "; start it again when the cause is gone, nothing stored was lost");
  logger.info("asked to stop");
  return kExitDone;
}

}  // namespace

void add_serve_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<ServeCommandOptions>();
  CLI::App* command =
      app.add_subcommand("serve", "Run the daemon: rounds, API socket, engine; goes on with unfinished runs");
  add_data_dir_option(*command, options->data_dir);
  command->add_option("--engine", options->engine, "The model program (default: cutd-engine beside this program)");
  command->add_option("--schedules", options->schedules,
                      "Night cycles (default: DATA/schedules.yaml, where there is one)");
  add_listen_flags(*command, options->listen);
  command->add_flag("--verbose", options->verbose, "Log details, too");
  command->add_flag("--quiet", options->quiet, "Log to DATA/cutd.log only");
  command->footer(
      "The first SIGTERM or Ctrl-C stops in order (exit code 0), a second one at once (143, 130).\n"
      "Example: cutd serve --data-dir /var/lib/cutd");
  command->callback([options, &chosen] { chosen = [options] { return run_serve(*options); }; });
}

}  // namespace cutd
