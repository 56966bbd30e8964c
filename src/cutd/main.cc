// cutd: the command line. Each group of commands lives in its own file; see command.h.
#include <CLI/CLI.hpp>

#include "core/error.h"
#include "core/program.h"
#include "cutd/command.h"

int main(int argc, char** argv) {
  return cutd::run_reporting_errors("cutd", [&]() -> int {
    CLI::App app("cutd: alignment of language models with judgments in words. Exit codes: 0 done, 1 unexpected, 2 wrong "
                 "use or configuration, 3 unusable input.");
    app.require_subcommand(1);
    cutd::CommandAction chosen;
    cutd::add_model_commands(app, chosen);
    cutd::add_text_commands(app, chosen);
    cutd::add_data_commands(app, chosen);
    cutd::add_version_command(app, chosen);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? cutd::kExitDone : cutd::kExitUsage;
    }
    return chosen();
  });
}
