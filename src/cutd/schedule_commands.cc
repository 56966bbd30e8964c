#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "core/clock.h"
#include "core/cron.h"
#include "core/error.h"
#include "core/yaml.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/daemon.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"
#include "round/run_config.h"
#include "round/schedule_service.h"

namespace cutd {
namespace {

struct ScheduleOptions {
  std::string data_dir;
  std::string file;
  std::string name;
  std::int64_t count = 5;
  bool json = false;
};

std::string utc(std::int64_t seconds) { return format_utc(seconds * 1'000'000); }

std::int64_t now_seconds() { return SystemClock().wall_micros() / 1'000'000; }

std::vector<Schedule> schedules_of(const ScheduleOptions& options) {
  const std::filesystem::path path =
      options.file.empty() ? schedules_path(options.data_dir) : std::filesystem::path(options.file);
  if (!std::filesystem::exists(path)) {
    throw Error(ErrorCode::kNotFound, path.string() +
                                          " is not there: write your schedules into it, or name another "
                                          "file with --schedules (docs/schedules.md)");
  }
  return read_schedules(path);
}

// How the run of a cycle stands: "completed: all 3 rounds are done".
std::string run_words(const Json& runs, std::int64_t id) {
  for (const Json& run : runs) {
    if (run.value("id", std::int64_t{0}) != id) continue;
    const std::string reason = run.value("reason", "");
    return run.value("state", "") + (reason.empty() ? "" : ": " + reason);
  }
  return "";
}

Json runs_of(const ScheduleOptions& options) {
  try {
    return ApiClient(options.data_dir).get("/api/v1/runs").at("runs");
  } catch (const Error&) {
    return Json::array();  // no store yet
  }
}

Json record_json(const CycleRecord& record, const Json& runs) {
  Json json = {{"due", utc(record.due)}, {"what", record.what}, {"reason", record.reason}};
  if (record.run > 0) {
    json["run"] = record.run;
    json["outcome"] = run_words(runs, record.run);
  }
  return json;
}

Json schedule_json(const Schedule& schedule, const ScheduleStates& states, const Json& runs) {
  const Occurrence next = next_occurrence(schedule.cron, schedule.zone, now_seconds());
  Json json = {{"name", schedule.name},
               {"config", schedule.config},
               {"cron", schedule.cron},
               {"zone", schedule.zone},
               {"until", schedule.until.empty() ? Json() : Json(schedule.until)},
               {"start_from", schedule.start_from},
               {"next", utc(next.at)},
               {"next_local", next.local},
               {"history", Json::array()}};
  const auto state = states.find(schedule.name);
  if (state == states.end()) return json;
  for (const CycleRecord& record : state->second.history) json["history"].push_back(record_json(record, runs));
  return json;
}

int print_schedules(const ScheduleOptions& options) {
  const ScheduleStates states = read_schedule_states(options.data_dir);
  const Json runs = runs_of(options);
  Json list = Json::array();
  for (const Schedule& schedule : schedules_of(options)) list.push_back(schedule_json(schedule, states, runs));
  if (options.json) {
    print_json(list);
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& schedule : list) {
    std::string last = "-";
    if (!schedule["history"].empty()) {
      const Json& record = schedule["history"].back();
      const std::string more = record.contains("outcome") ? record.value("outcome", "") : record.value("reason", "");
      last = record.value("due", "") + " " + record.value("what", "") + (more.empty() ? "" : " (" + more + ")");
    }
    rows.push_back({cell(schedule["name"]), cell(schedule["next_local"]), cell(schedule["until"]), last});
  }
  print_text(table_text({"schedule", "next", "until", "last"}, rows));
  return kExitDone;
}

const Schedule& named(const std::vector<Schedule>& schedules, const std::string& name) {
  const auto found =
      std::find_if(schedules.begin(), schedules.end(), [&](const Schedule& schedule) { return schedule.name == name; });
  if (found == schedules.end()) throw Error(ErrorCode::kNotFound, "there is no schedule \"" + name + "\"");
  return *found;
}

int run_next(const ScheduleOptions& options) {
  std::vector<Schedule> schedules = schedules_of(options);
  if (!options.name.empty()) schedules = {named(schedules, options.name)};
  Json list = Json::array();
  for (const Schedule& schedule : schedules) {
    std::int64_t after = now_seconds();
    for (std::int64_t i = 0; i < options.count; ++i) {
      const Occurrence next = next_occurrence(schedule.cron, schedule.zone, after);
      const auto end = cycle_end(schedule, next.at);
      list.push_back({{"schedule", schedule.name},
                      {"at", utc(next.at)},
                      {"local", next.local},
                      {"until", end ? Json(utc(*end)) : Json()}});
      after = next.at;
    }
  }
  if (options.json) print_json(list);
  else print_text(table_of(list, {{"schedule", "schedule"}, {"at", "at"}, {"local", "local"}, {"until", "until"}}));
  return kExitDone;
}

// A cycle now, with the schedule's limits; its own times are not affected.
int run_now(const ScheduleOptions& options) {
  const std::vector<Schedule> schedules = schedules_of(options);
  const Schedule& schedule = named(schedules, options.name);
  const Json config = read_yaml_file(schedule.config);
  Json overrides = Json::array();
  std::vector<ConfigOverride> checked;
  for (const auto& [key, text] : cycle_overrides(schedule, cycle_end(schedule, now_seconds()))) {
    overrides.push_back({{"key", key}, {"text", text}});
    checked.push_back({key, text});
  }
  parse_run_config(config, schedule.config, checked);
  const Json reply =
      ApiClient(options.data_dir)
          .post("/api/v1/runs", {{"config", config},
                                 {"origin", schedule.config},
                                 {"folder", std::filesystem::path(schedule.config).parent_path().string()},
                                 {"overrides", overrides}});
  if (options.json) print_json(reply);
  else fmt::print("run {} started\n", reply.at("id").get<std::int64_t>());
  return kExitDone;
}

}  // namespace

void add_schedule_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("schedule", "Night cycles: runs that start by themselves");
  group->require_subcommand(1);
  const auto options = std::make_shared<ScheduleOptions>();
  const auto add = [&](const std::string& name, const std::string& help,
                       std::function<int(const ScheduleOptions&)> action) {
    CLI::App* command = group->add_subcommand(name, help);
    add_data_dir_option(*command, options->data_dir);
    command->add_option("--schedules", options->file, "The file (default: DATA/schedules.yaml)");
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([options, action, &chosen] { chosen = [options, action] { return action(*options); }; });
    return command;
  };
  add("list", "Schedules: when they come next and what became of the last time", print_schedules);
  CLI::App* next = add("next", "The next times, in UTC and in the schedule's zone", run_next);
  next->add_option("name", options->name, "Only this schedule");
  next->add_option("--count", options->count, "How many")->check(CLI::PositiveNumber)->capture_default_str();
  CLI::App* now = add("run", "Start a cycle now, with the schedule's limits", run_now);
  now->add_option("name", options->name, "Name of the schedule")->required();
}

}  // namespace cutd
