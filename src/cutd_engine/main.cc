// cutd-engine: the model. Each command lives in its own file; see command.h.
#include <CLI/CLI.hpp>
#include <string>

#include "core/error.h"
#include "core/program.h"
#include "cutd_engine/command.h"

int main(int argc, char** argv) {
  const int code = cutd::run_reporting_errors("cutd-engine", [&]() -> int {
    CLI::App app(
        "The model side of cutd: log-probabilities, generation, objectives, training, merging. Exit codes: 0 done, "
        "1 unexpected, 2 wrong use or configuration, 3 unusable input.");
    app.require_subcommand(1);
    cutd::CommandAction chosen;
    cutd::add_logprobs_command(app, chosen);
    cutd::add_generate_command(app, chosen);
    cutd::add_explain_command(app, chosen);
    cutd::add_train_command(app, chosen);
    cutd::add_merge_command(app, chosen);
    cutd::add_bench_command(app, chosen);
    cutd::add_serve_command(app, chosen);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return app.exit(error);  // --help
      throw cutd::Error(cutd::ErrorCode::kUsage, std::string(error.what()) + " (--help shows the use)");
    }
    return chosen();
  });
  cutd::end_process(code);
}
