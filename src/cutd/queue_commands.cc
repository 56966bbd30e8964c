#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"

namespace cutd {
namespace {

// A request's body is limited to 256 KiB: records are sent in parts below it.
constexpr std::size_t kPartBytes = 192u << 10;

struct QueueOptions {
  std::string data_dir;
  std::int64_t round = 0;
  std::string format = "argilla";
  std::string file;
  bool json = false;
  bool people = false;
};

std::string share(const Json& counts, const char* part, const char* whole) {
  return fmt::format("{}/{}", counts.at(part).get<std::int64_t>(), counts.at(whole).get<std::int64_t>());
}

std::string number_or_dash(const Json& value) {
  return value.is_null() ? "-" : fmt::format("{:.3f}", value.get<double>());
}

std::string rounds_table(const Json& rounds) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& queue : rounds) {
    const Json& counts = queue.at("counts");
    rows.push_back(
        {queue.at("round").is_null() ? "evaluation " + cell(queue.at("evaluation")) : cell(queue.at("round")),
         cell(queue.at("state")), cell(queue.at("overlap")), share(counts, "submitted", "needed"),
         cell(counts.at("open")), cell(counts.at("leased")), cell(counts.at("surplus")),
         cell(counts.at("needs_review")), number_or_dash(queue.at("alpha"))});
  }
  return table_text({"round", "state", "overlap", "judged", "open", "held", "surplus", "review", "alpha"}, rows);
}

int queue_status(const QueueOptions& options) {
  ApiClient api(options.data_dir);
  if (options.people) {
    const std::string filter = options.round > 0 ? "?round=" + std::to_string(options.round) : "";
    const Json people = api.get("/api/v1/queue/people" + filter).at("people");
    if (options.json) print_json(people);
    else
      print_text(table_of(people, {{"person", "name"},
                                   {"judged", "submitted"},
                                   {"skipped", "skipped"},
                                   {"drafts", "draft"},
                                   {"held", "leased"},
                                   {"surplus", "surplus"},
                                   {"gold", "gold_seen"},
                                   {"right", "gold_right"},
                                   {"blocked", "blocked"},
                                   {"last", "last_at"}}));
    return kExitDone;
  }
  const Json status = api.get("/api/v1/queue/rounds");
  if (options.json) print_json(status);
  else if (status.at("rounds").empty()) print_text("nothing waits for people\n");
  else print_text(rounds_table(status.at("rounds")));
  return kExitDone;
}

int queue_close(const QueueOptions& options) {
  const Json queue =
      ApiClient(options.data_dir).post(fmt::format("/api/v1/queue/rounds/{}/close", options.round), Json::object());
  if (options.json) print_json(queue);
  else
    fmt::print("the queue of round {} is {}: {} of {} judgments are counted\n", options.round,
               queue.at("state").get<std::string>(), queue.at("counts").at("submitted").get<std::int64_t>(),
               queue.at("counts").at("needed").get<std::int64_t>());
  return kExitDone;
}

int queue_export(const QueueOptions& options) {
  const Json records =
      ApiClient(options.data_dir)
          .get(fmt::format("/api/v1/queue/export?format={}&round={}", percent_encoded(options.format), options.round));
  write_file_durably(options.file, to_json_text(records, 1) + "\n");
  if (options.json) print_json({{"round", options.round}, {"records", records.size()}, {"file", options.file}});
  else fmt::print("{} records of round {} are in {}\n", records.size(), options.round, options.file);
  return kExitDone;
}

int queue_import(const QueueOptions& options) {
  const Json records = read_json_file(options.file);
  if (!records.is_array()) throw Error(ErrorCode::kBadInput, options.file + " is no list of records");
  ApiClient api(options.data_dir);
  std::int64_t added = 0, known = 0, unmatched = 0;
  Json part = Json::array();
  std::size_t bytes = 0;
  const auto send = [&] {
    if (part.empty()) return;
    const Json reply = api.post("/api/v1/queue/import",
                                {{"format", options.format}, {"round", options.round}, {"records", std::move(part)}});
    added += reply.at("added").get<std::int64_t>();
    known += reply.at("known").get<std::int64_t>();
    unmatched += reply.at("unmatched").get<std::int64_t>();
    part = Json::array();
    bytes = 0;
  };
  for (const Json& record : records) {
    const std::size_t size = to_json_text(record).size();
    if (bytes + size > kPartBytes) send();
    part.push_back(record);
    bytes += size;
  }
  send();
  if (options.json) print_json({{"added", added}, {"known", known}, {"unmatched", unmatched}});
  else
    fmt::print("{} judgments added, {} were known, {} belong to no item of round {}\n", added, known, unmatched,
               options.round);
  return kExitDone;
}

CLI::App* add_queue_command(CLI::App& group, const std::string& name, const std::string& help,
                            const std::shared_ptr<QueueOptions>& options, CommandAction& chosen,
                            int (*action)(const QueueOptions&)) {
  CLI::App* command = group.add_subcommand(name, help);
  add_data_dir_option(*command, options->data_dir);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, action, &chosen] { chosen = [options, action] { return action(*options); }; });
  return command;
}

}  // namespace

void add_queue_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("queue", "Work for people: where it stands, closing it, moving it in and out");
  group->require_subcommand(1);
  const auto options = std::make_shared<QueueOptions>();

  CLI::App* status = add_queue_command(*group, "status", "What waits for people", options, chosen, queue_status);
  status->add_flag("--people", options->people, "What each person did instead");
  status->add_option("--round", options->round, "With --people: of this round only");

  CLI::App* close = add_queue_command(*group, "close", "Go on with what is judged; nothing more is given out", options,
                                      chosen, queue_close);
  close->add_option("round", options->round, "Id of the round")->required();

  const auto add_exchange = [&](CLI::App* command, const char* file_help) {
    command->add_option("round", options->round, "Id of the round")->required();
    command->add_option("--format", options->format, "Whose shape")
        ->check(CLI::IsMember({"argilla", "label-studio"}))
        ->capture_default_str();
    command->add_option("--file", options->file, file_help)->required();
  };
  add_exchange(
      add_queue_command(*group, "export", "Tasks and annotations for another tool", options, chosen, queue_export),
      "JSON file to write");
  add_exchange(add_queue_command(*group, "import", "Annotations made in another tool", options, chosen, queue_import),
               "JSON file to read");
}

}  // namespace cutd
