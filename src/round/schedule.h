// Night cycles: which run starts when. A schedule is configuration; what to do now is decided by a pure function on
// facts, so that clocks, downtime and summer time are tested without waiting.
//
// A cycle is a run of rounds with the schedule's limits. It ends by the run's own stop rule: at its count of rounds,
// when `until` comes (no further round starts), at its budget, or when instructions run out; the run's reason says
// which.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"

namespace cutd {

struct Schedule {
  std::string name;
  std::string config;                  // run configuration, absolute
  std::string cron;                    // when; `at: "02:00"` is the short form of a daily one
  std::string zone = "UTC";            // IANA name
  std::string until;                   // cron expression of the latest end, the first one after the start; empty: none
  std::int64_t rounds = 0;             // most rounds of a cycle; 0: the configuration's
  double budget_usd = 0;               // most money of a cycle; 0: the configuration's
  std::string start_from = "kept";     // run.start_from of its cycles: they build on one another
  std::string if_running = "skip";     // skip | queue: a run is still going
  std::string after_downtime = "run";  // run | skip: the time passed while no daemon ran
};

// {"schedules": [{name, config, at | cron, zone, until, rounds, budget_usd, start_from, if_running,
// after_downtime}]}; `until` is a
// time of day or a cron expression. Paths are relative to the file. Error(kUsage) naming `origin`, schedule and key.
std::vector<Schedule> parse_schedules(const Json& values, const std::string& origin,
                                      const std::filesystem::path& folder);
std::vector<Schedule> read_schedules(const std::filesystem::path& path);

// All times are seconds since the Unix epoch.
struct ScheduleFacts {
  std::int64_t now = 0;
  std::int64_t handled = 0;            // the last time that was dealt with, or when the schedule was first seen
  std::optional<std::int64_t> queued;  // a time that waits for a run to end
  bool run_active = false;             // any run works now
};

namespace schedule_step {
struct Wait {
  std::int64_t until = 0;  // the next time that comes; look again then, or when a run ends
};
struct Start {
  std::int64_t due = 0;
  std::optional<std::int64_t> ends_at;
};
struct Queue {
  std::int64_t due = 0;
};
struct Pass {  // that time is over: no cycle
  std::int64_t due = 0;
  std::string reason;
};
}  // namespace schedule_step
using ScheduleStep = std::variant<schedule_step::Wait, schedule_step::Start, schedule_step::Queue, schedule_step::Pass>;

// What to do now. Of several times that passed unseen only the last one counts; one that is more than five minutes late
// passed during downtime.
ScheduleStep decide_schedule(const Schedule& schedule, const ScheduleFacts& facts);

// The end of a cycle that was due at `due`.
std::optional<std::int64_t> cycle_end(const Schedule& schedule, std::int64_t due);

// The limits that a cycle adds to its configuration: run.rounds, run.end_time, run.budget_usd, run.start_from, as (key,
// text).
std::vector<std::pair<std::string, std::string>> cycle_overrides(const Schedule& schedule,
                                                                 std::optional<std::int64_t> ends_at);

}  // namespace cutd
