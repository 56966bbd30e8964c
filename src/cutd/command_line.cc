#include "cutd/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/error.h"
#include "cutd/command.h"

namespace cutd {
namespace {

constexpr const char* kDescription =
    "Contrastive Unlikelihood Training, round by round: a daemon that lets a model write, has the answers judged, "
    "trains on the judgments and keeps what is better.";

constexpr const char* kFooter =
    "Examples:\n"
    "  cutd demo --quick                                the whole loop on a small model, in minutes\n"
    "  cutd serve --data-dir /var/lib/cutd              the daemon\n"
    "  cutd run start --config examples/demo.yaml       a run of several rounds\n"
    "  cutd run status 1                                how it stands\n"
    "Exit codes: 0 done; 1 unexpected; 2 wrong use or configuration; 3 unusable input; 4 the run ended failed;\n"
    "75 another daemon holds the folder; 130/143 stopped by a second Ctrl-C or SIGTERM.";

// CLI11 only says that a subcommand is missing; this names the word that is none.
void refuse_unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* group = &app;
  std::string path = "cutd";
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const auto commands = group->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty() || word.empty() || word.front() == '-') return;
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* command) { return command->get_name() == word; });
    if (found == commands.end()) {
      throw Error(ErrorCode::kUsage,
                  "there is no command \"" + path + " " + word + "\" (" + path + " --help lists them)");
    }
    group = *found;
    path += " " + word;
  }
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments) {
  CLI::App app(kDescription, "cutd");
  app.footer(kFooter);
  app.require_subcommand(1);
  CommandAction chosen;
  add_demo_command(app, chosen);
  add_serve_command(app, chosen);
  add_run_commands(app, chosen);
  add_round_commands(app, chosen);
  add_model_commands(app, chosen);
  add_adapter_commands(app, chosen);
  add_instruction_commands(app, chosen);
  add_queue_commands(app, chosen);
  add_text_commands(app, chosen);
  add_data_commands(app, chosen);
  add_eval_commands(app, chosen);
  add_exchange_commands(app, chosen);
  add_schedule_commands(app, chosen);
  add_user_commands(app, chosen);
  add_judge_commands(app, chosen);
  add_ledger_commands(app, chosen);
  add_attempt_commands(app, chosen);
  add_doctor_command(app, chosen);
  add_version_command(app, chosen);
  refuse_unknown_command(app, arguments);
  std::vector<std::string> rest(arguments.rbegin(), arguments.rend());  // CLI11 takes them last first
  if (!rest.empty()) rest.pop_back();                                   // the program's name
  try {
    app.parse(rest);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error) == 0 ? kExitDone : kExitUsage;  // --help
    throw Error(ErrorCode::kUsage, std::string(error.what()) + " (--help shows the use)");
  }
  return chosen();
}

}  // namespace cutd
