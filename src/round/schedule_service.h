// The thread of the daemon that starts cycles: it reads the schedules' file, asks decide_schedule, and does what it
// says. What happened to each time is kept in DATA/schedules.state.json; that a time was started also stands in its
// run, in the transaction that made it, so a crash between the two starts nothing twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "round/frozen_run.h"
#include "round/schedule.h"
#include "round/wakeup.h"
#include "store/store.h"

namespace cutd {

// What became of one time of a schedule.
struct CycleRecord {
  std::int64_t due = 0;  // seconds since the Unix epoch, as all times here
  std::string what;      // started | queued | passed | failed
  std::int64_t run = 0;  // started only
  std::string reason;    // passed, failed
  std::int64_t at = 0;
};

struct ScheduleState {
  std::int64_t handled = 0;
  std::int64_t queued = 0;           // 0: none
  std::vector<CycleRecord> history;  // oldest first, the last fifty
};

using ScheduleStates = std::map<std::string, ScheduleState>;

std::filesystem::path schedule_state_path(const std::filesystem::path& data_dir);
ScheduleStates read_schedule_states(const std::filesystem::path& data_dir);  // empty when there is no file

// Starts the run of a cycle; throws Error when the configuration is not usable.
using StartCycle =
    std::function<RunId(const Schedule& schedule, std::optional<std::int64_t> ends_at, const CycleOrigin& origin)>;

class ScheduleService {
 public:
  // `file`: the schedules; it may be absent and is read again at every look. Everything referred to must outlive it.
  ScheduleService(std::filesystem::path file, Store& store, StartCycle start, const Clock& clock, Logger& logger);
  ~ScheduleService();  // stop()

  void begin();
  void stop();

  // One look at every schedule: does what is to be done now, and returns when to look again at the latest. The thread
  // looks at least every thirty seconds, since the wall clock may jump. Not while the thread runs.
  std::int64_t look();

 private:
  std::vector<Schedule> schedules();
  std::int64_t look_at(const Schedule& schedule, std::int64_t now);
  void start_cycle(const Schedule& schedule, const schedule_step::Start& step, ScheduleState& state, std::int64_t now);
  void note(const Schedule& schedule, ScheduleState& state, CycleRecord record);
  void save();
  std::int64_t started_before(const std::string& schedule) const;

  // Constant after construction.
  const std::filesystem::path file_;
  Store& store_;
  const StartCycle start_;
  const Clock& clock_;
  Logger& logger_;

  // Owned by the thread that looks.
  ScheduleStates states_;
  std::string complaint_;  // the last one about the file, so that it is logged once

  Wakeup wakeup_;
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace cutd
