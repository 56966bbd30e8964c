#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/error.h"
#include "core/json.h"
#include "cutd/command.h"

namespace cutd {

void add_version_command(CLI::App& app, CommandAction& chosen) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->add_flag("--json", *json, "One JSON object");
  command->callback([json, &chosen] {
    chosen = [json] {
      if (*json) std::printf("%s\n", to_json_text(Json{{"name", "cutd"}, {"version", CUTD_VERSION}}).c_str());
      else std::printf("cutd %s\n", CUTD_VERSION);
      return static_cast<int>(kExitDone);
    };
  });
}

}  // namespace cutd
