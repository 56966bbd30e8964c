#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>

#include "core/error.h"
#include "cutd_engine/command.h"
#include "cutd_engine/torch_backend.h"
#include "engine/serve_loop.h"

namespace cutd {
namespace {

struct ServeCommandOptions {
  int rpc_fd = -1;
  std::int64_t heartbeat_ms = 10'000;
};

int run_serve(const ServeCommandOptions& options) {
  // The daemon decides when the engine ends: by a request, or by closing the socket. A Ctrl-C or a service
  // manager's SIGTERM to the whole group must not tear a unit that the daemon is about to stop in order.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
  TorchBackend backend;
  ServeOptions serve;
  serve.heartbeat_ms = options.heartbeat_ms;
  serve_engine(options.rpc_fd, backend, serve);
  return kExitDone;
}

}  // namespace

void add_serve_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<ServeCommandOptions>();
  CLI::App* command = app.add_subcommand("serve", "Answer the daemon's requests; started by cutd, not by people");
  command->add_option("--rpc-fd", options->rpc_fd, "Descriptor of the socket to the daemon")
      ->required()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--heartbeat-ms", options->heartbeat_ms, "Milliseconds between two signs of life")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->callback([options, &chosen] { chosen = [options] { return run_serve(*options); }; });
}

}  // namespace cutd
