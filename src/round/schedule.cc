#include "round/schedule.h"

#include <fmt/format.h>

#include <set>

#include "core/clock.h"
#include "core/cron.h"
#include "core/error.h"
#include "core/options.h"
#include "core/yaml.h"
#include "round/run_config.h"
#include "round/start_point.h"

namespace cutd {
namespace {

constexpr std::int64_t kLateSeconds = 300;
constexpr int kMostPassedTimes = 100'000;

std::string shown(std::int64_t seconds) { return format_utc(seconds * 1'000'000); }

bool is_time_of_day(const std::string& text) { return text.find(' ') == std::string::npos; }

Schedule parse_schedule(const Json& values, const std::string& origin, const std::filesystem::path& folder) {
  Schedule schedule;
  std::string at;
  std::string until;
  OptionTable table;
  table.add("name", &schedule.name, "name of the schedule");
  table.add("config", &schedule.config, "run configuration, relative to this file");
  table.add("at", &at, "time of day, HH:MM");
  table.add("cron", &schedule.cron, "cron expression of five fields");
  table.add("zone", &schedule.zone, "IANA name of the time zone");
  table.add("until", &until, "latest end: no round starts after it; HH:MM or a cron expression");
  table.add("rounds", &schedule.rounds, "most rounds of a cycle (0: the configuration's)", at_least(0));
  table.add("budget_usd", &schedule.budget_usd, "most money of a cycle (0: the configuration's)", in_range(0, 1e9));
  table.add(
      "start_from", &schedule.start_from,
      "what a cycle builds on: kept (what the newest finished run of the same base kept), base or an adapter's id",
      start_point_check());
  table.add("if_running", &schedule.if_running, "when a run is still going", one_of({"skip", "queue"}));
  table.add("after_downtime", &schedule.after_downtime, "when the time passed without a daemon",
            one_of({"run", "skip"}));
  table.load(values, origin);
  check_run_name(schedule.name, origin);
  if (schedule.config.empty()) throw Error(ErrorCode::kUsage, origin + ": key \"config\" is missing");
  if (at.empty() == schedule.cron.empty())
    throw Error(ErrorCode::kUsage, origin + ": give either \"at\", a time of day, or \"cron\"");
  try {
    if (!at.empty()) schedule.cron = daily_cron(at);
    if (!until.empty()) schedule.until = is_time_of_day(until) ? daily_cron(until) : until;
    next_occurrence(schedule.cron, schedule.zone, 0);
    if (!schedule.until.empty()) next_occurrence(schedule.until, schedule.zone, 0);
  } catch (const Error& error) {
    throw Error(ErrorCode::kUsage, origin + ": " + error.what());
  }
  schedule.config = (folder / schedule.config).lexically_normal().string();
  return schedule;
}

// The last time in (handled, now], or nothing; and how many there were.
std::optional<std::int64_t> last_due(const Schedule& schedule, const ScheduleFacts& facts, std::int64_t& next) {
  std::optional<std::int64_t> due;
  std::int64_t after = facts.handled;
  for (int i = 0; i < kMostPassedTimes; ++i) {
    next = next_occurrence(schedule.cron, schedule.zone, after).at;
    if (next > facts.now) return due;
    due = after = next;
  }
  next = next_occurrence(schedule.cron, schedule.zone, facts.now).at;
  return due;
}

}  // namespace

std::vector<Schedule> parse_schedules(const Json& values, const std::string& origin,
                                      const std::filesystem::path& folder) {
  for (const auto& [key, value] : values.items()) {
    if (key != "schedules") throw Error(ErrorCode::kUsage, origin + ": unknown key \"" + key + "\"");
  }
  const Json list = json_get_or<Json>(values, "schedules", Json::array(), origin);
  if (!list.is_array()) throw Error(ErrorCode::kUsage, origin + ": key \"schedules\" must be a list");
  std::vector<Schedule> schedules;
  std::set<std::string> names;
  for (const Json& item : list) {
    const std::string where = fmt::format("{}: schedules[{}]", origin, schedules.size());
    schedules.push_back(parse_schedule(item, where, folder));
    if (!names.insert(schedules.back().name).second)
      throw Error(ErrorCode::kUsage, where + ": the name \"" + schedules.back().name + "\" is taken");
  }
  return schedules;
}

std::vector<Schedule> read_schedules(const std::filesystem::path& path) {
  return parse_schedules(read_yaml_file(path), path.string(), std::filesystem::absolute(path).parent_path());
}

std::optional<std::int64_t> cycle_end(const Schedule& schedule, std::int64_t due) {
  if (schedule.until.empty()) return std::nullopt;
  return next_occurrence(schedule.until, schedule.zone, due).at;
}

ScheduleStep decide_schedule(const Schedule& schedule, const ScheduleFacts& facts) {
  std::int64_t next = 0;
  std::optional<std::int64_t> due = last_due(schedule, facts, next);
  const bool was_queued = !due && facts.queued;
  if (was_queued) due = facts.queued;
  if (!due) return schedule_step::Wait{next};
  const std::optional<std::int64_t> ends_at = cycle_end(schedule, *due);
  if (ends_at && *ends_at <= facts.now)
    return schedule_step::Pass{*due, fmt::format("its end, {}, had passed", shown(*ends_at))};
  if (!was_queued && facts.now - *due > kLateSeconds && schedule.after_downtime == "skip")
    return schedule_step::Pass{*due, "no daemon ran at that time"};
  if (!facts.run_active) return schedule_step::Start{*due, ends_at};
  if (was_queued) return schedule_step::Wait{ends_at ? std::min(next, *ends_at) : next};
  if (schedule.if_running == "queue") return schedule_step::Queue{*due};
  return schedule_step::Pass{*due, "another run was still going"};
}

std::vector<std::pair<std::string, std::string>> cycle_overrides(const Schedule& schedule,
                                                                 std::optional<std::int64_t> ends_at) {
  std::vector<std::pair<std::string, std::string>> overrides;
  if (schedule.rounds > 0) overrides.emplace_back("run.rounds", std::to_string(schedule.rounds));
  if (schedule.budget_usd > 0) overrides.emplace_back("run.budget_usd", fmt::format("{}", schedule.budget_usd));
  if (ends_at) overrides.emplace_back("run.end_time", shown(*ends_at));
  overrides.emplace_back("run.start_from", schedule.start_from);
  return overrides;
}

}  // namespace cutd
