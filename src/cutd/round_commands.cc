#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "core/error.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"

namespace cutd {
namespace {

struct RoundOptions {
  std::string data_dir;
  std::int64_t id = 0;  // of a run (list) or a round
  std::string why = "asked by the operator";
  bool json = false;
};

std::string round_path(const RoundOptions& options) { return "/api/v1/rounds/" + std::to_string(options.id); }

std::int64_t newest_run(ApiClient& api) {
  const Json runs = api.get("/api/v1/runs").at("runs");
  if (runs.empty()) throw Error(ErrorCode::kNotFound, "there is no run yet (cutd run start)");
  std::int64_t newest = 0;
  for (const Json& run : runs) newest = std::max(newest, run.at("id").get<std::int64_t>());
  return newest;
}

int list_rounds_of(const RoundOptions& options) {
  ApiClient api(options.data_dir);
  const std::int64_t run = options.id > 0 ? options.id : newest_run(api);
  const Json rounds = api.get(fmt::format("/api/v1/runs/{}/rounds", run)).at("rounds");
  if (options.json) print_json(rounds);
  else
    print_text(table_of(rounds, {{"round", "id"},
                                 {"number", "number"},
                                 {"phase", "phase"},
                                 {"outcome", "outcome"},
                                 {"retries", "retries"},
                                 {"changed", "updated_at"},
                                 {"reason", "reason"}}));
  return kExitDone;
}

int show_round(const RoundOptions& options) {
  const Json round = ApiClient(options.data_dir).get(round_path(options));
  if (options.json) {
    print_json(round);
    return kExitDone;
  }
  for (const auto& [key, value] : round.items()) fmt::print("{:<15} {}\n", key, cell(value));
  return kExitDone;
}

int show_events(const RoundOptions& options) {
  const Json events = ApiClient(options.data_dir).get(round_path(options) + "/events").at("events");
  if (options.json) print_json(events);
  else print_text(table_of(events, {{"at", "at"}, {"from", "from"}, {"to", "to"}, {"epoch", "epoch"}, {"why", "why"}}));
  return kExitDone;
}

int retry(const RoundOptions& options) {
  ApiClient(options.data_dir).post(round_path(options) + "/retry", {{"why", options.why}});
  if (options.json) print_json({{"id", options.id}});
  else fmt::print("round {} will be tried again\n", options.id);
  return kExitDone;
}

CLI::App* add_round_command(CLI::App& group, const std::string& name, const std::string& help,
                            const std::string& id_help, const std::shared_ptr<RoundOptions>& options,
                            CommandAction& chosen, int (*action)(const RoundOptions&)) {
  CLI::App* command = group.add_subcommand(name, help);
  add_data_dir_option(*command, options->data_dir);
  command->add_option("id", options->id, id_help)->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, action, &chosen] { chosen = [options, action] { return action(*options); }; });
  return command;
}

}  // namespace

void add_round_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("round", "One round: where it stands, its history, another try");
  group->require_subcommand(1);
  const auto options = std::make_shared<RoundOptions>();
  add_round_command(*group, "list", "Rounds of a run", "Number of the run (default: the newest)", options, chosen,
                    list_rounds_of)
      ->get_option("id")
      ->required(false);
  add_round_command(*group, "show", "One round", "Id of the round", options, chosen, show_round);
  add_round_command(*group, "events", "History of a round, oldest first", "Id of the round", options, chosen,
                    show_events);
  CLI::App* again =
      add_round_command(*group, "retry", "Try a failed round again", "Id of the round", options, chosen, retry);
  again->add_option("--why", options->why, "Kept in the history")->capture_default_str();
}

}  // namespace cutd
