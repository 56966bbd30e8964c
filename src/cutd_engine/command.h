// The commands of cutd-engine. Each lives in its own NAME_command.{h,cc} or NAME_command.cc and is a
// function that declares one subcommand with its flags and, when the command line names it, sets
// `chosen` to what shall run. main() parses, then runs `chosen` and maps errors to exit codes, so a
// command only throws cutd::Error and returns an ExitCode.
//
//   void add_bench_command(CLI::App& app, CommandAction& chosen) {
//     auto options = std::make_shared<BenchOptions>();
//     CLI::App* command = app.add_subcommand("bench", "Measure generation and training speed");
//     command->add_option("--model", options->model, "Hugging Face folder")->required();
//     command->callback([options, &chosen] { chosen = [options] { return run_bench(*options); }; });
//   }
//
// Results (--json) go to standard output, progress to standard error.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cutd {

using CommandAction = std::function<int()>;  // returns an ExitCode of core/error.h

void add_logprobs_command(CLI::App& app, CommandAction& chosen);
void add_generate_command(CLI::App& app, CommandAction& chosen);
void add_explain_command(CLI::App& app, CommandAction& chosen);
void add_train_command(CLI::App& app, CommandAction& chosen);
void add_merge_command(CLI::App& app, CommandAction& chosen);
void add_bench_command(CLI::App& app, CommandAction& chosen);
void add_serve_command(CLI::App& app, CommandAction& chosen);

}  // namespace cutd
