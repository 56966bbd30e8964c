// The commands of cutd. Each group lives in its own NAME_commands.cc: a function that declares its
// subcommands and flags and, when the command line names one, sets `chosen` to what shall run. main()
// parses, then runs `chosen` and maps errors to exit codes, so a command only throws cutd::Error and
// returns an ExitCode. Tables go to standard output (JSON with --json), progress to standard error.
//
//   void add_text_commands(CLI::App& app, CommandAction& chosen) {
//     CLI::App* text = app.add_subcommand("text", "Tokenizer and chat template");
//     text->require_subcommand(1);
//     auto options = std::make_shared<EncodeOptions>();
//     CLI::App* encode = text->add_subcommand("encode", "Text to token ids");
//     encode->add_option("--model", options->model, "Hugging Face folder")->required();
//     encode->callback([options, &chosen] { chosen = [options] { return run_encode(*options); }; });
//   }
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cutd {

using CommandAction = std::function<int()>;  // returns an ExitCode of core/error.h

void add_demo_command(CLI::App& app, CommandAction& chosen);
void add_serve_command(CLI::App& app, CommandAction& chosen);
void add_run_commands(CLI::App& app, CommandAction& chosen);          // start, list, status, pause, resume, cancel
void add_round_commands(CLI::App& app, CommandAction& chosen);        // list, show, events, retry
void add_model_commands(CLI::App& app, CommandAction& chosen);        // import, list
void add_adapter_commands(CLI::App& app, CommandAction& chosen);      // list, export
void add_instruction_commands(CLI::App& app, CommandAction& chosen);  // import
void add_queue_commands(CLI::App& app, CommandAction& chosen);        // status, close, export, import
void add_text_commands(CLI::App& app, CommandAction& chosen);         // encode, decode, render
void add_data_commands(CLI::App& app, CommandAction& chosen);         // prepare
void add_eval_commands(CLI::App& app, CommandAction& chosen);       // win rates of annotation files; run: judge outputs
void add_eval_run_command(CLI::App& group, CommandAction& chosen);  // added by add_eval_commands
void add_exchange_commands(CLI::App& app, CommandAction& chosen);   // import, export
void add_user_commands(CLI::App& app, CommandAction& chosen);       // add, list, revoke, link, token
void add_schedule_commands(CLI::App& app, CommandAction& chosen);   // list, next, run
void add_judge_commands(CLI::App& app, CommandAction& chosen);      // test, list, estimate
void add_ledger_commands(CLI::App& app, CommandAction& chosen);     // what was spent; caps
void add_attempt_commands(CLI::App& app, CommandAction& chosen);    // paid requests; resolve
void add_doctor_command(CLI::App& app, CommandAction& chosen);
void add_version_command(CLI::App& app, CommandAction& chosen);

}  // namespace cutd
