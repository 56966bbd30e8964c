#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/error.h"
#include "cutd/command.h"
#include "cutd/output.h"
#include "cutd/version.h"

namespace cutd {
namespace {

Json version_view() { return {{"version", version()}, {"compiler", __VERSION__}}; }

}  // namespace

std::string version() { return CUTD_VERSION; }

void add_version_route(Router& router) {
  router.add("GET", "/api/v1/version", Access::kSignedIn, [](const Request&) { return json_reply(version_view()); });
}

void add_version_command(CLI::App& app, CommandAction& chosen) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json, &chosen] {
    chosen = [json] {
      if (*json) print_json(version_view());
      else fmt::print("cutd {}\n", version());
      return kExitDone;
    };
  });
}

}  // namespace cutd
