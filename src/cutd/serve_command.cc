#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "core/error.h"
#include "cutd/command.h"
#include "cutd/daemon.h"
#include "cutd/daemon_log.h"
#include "cutd/data_dir.h"
#include "cutd/signals.h"

namespace cutd {
namespace {

struct Options {
  std::string data_dir;
  std::string engine;
  std::string schedules;
  bool verbose = false;
  bool quiet = false;
};

int run_serve(const Options& options) {
  const SignalWatch signals;
  const SystemClock clock;
  make_data_dir(options.data_dir);
  DaemonLog logger(std::filesystem::path(options.data_dir) / "cutd.log",
                   options.verbose ? LogLevel::kDebug : LogLevel::kInfo, !options.quiet);
  Daemon daemon({std::filesystem::absolute(options.data_dir).lexically_normal(), options.engine, options.schedules},
                clock, logger);
  daemon.begin();
  const auto failure = daemon.wait(signals.token());
  if (failure)
    throw Error(ErrorCode::kIo, *failure + "; start it again when the cause is gone, nothing stored was lost");
  logger.info("asked to stop");
  return kExitDone;
}

}  // namespace

void add_serve_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("serve", "Run the daemon: rounds, API socket, engine; goes on with unfinished runs");
  add_data_dir_option(*command, options->data_dir);
  command->add_option("--engine", options->engine, "The model program (default: cutd-engine beside this program)");
  command->add_option("--schedules", options->schedules,
                      "Night cycles (default: DATA/schedules.yaml, where there is one)");
  command->add_flag("--verbose", options->verbose, "Log details, too");
  command->add_flag("--quiet", options->quiet, "Log to DATA/cutd.log only");
  command->footer(
      "The first SIGTERM or Ctrl-C stops in order (exit code 0), a second one at once (143, 130).\n"
      "Example: cutd serve --data-dir /var/lib/cutd");
  command->callback([options, &chosen] { chosen = [options] { return run_serve(*options); }; });
}

}  // namespace cutd
