#include "round/schedule_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr std::int64_t kLookSeconds = 30;
constexpr std::size_t kHistory = 50;
constexpr std::int64_t kMicros = 1'000'000;

Json state_json(const ScheduleState& state) {
  Json history = Json::array();
  for (const CycleRecord& record : state.history) {
    history.push_back({{"due", record.due},
                       {"what", record.what},
                       {"run", record.run},
                       {"reason", record.reason},
                       {"at", record.at}});
  }
  return {{"handled", state.handled}, {"queued", state.queued}, {"history", history}};
}

ScheduleState state_of(const Json& json, const std::string& origin) {
  ScheduleState state;
  state.handled = json_get<std::int64_t>(json, "handled", origin);
  state.queued = json_get<std::int64_t>(json, "queued", origin);
  for (const Json& record : json_get<Json>(json, "history", origin)) {
    state.history.push_back(
        {json_get<std::int64_t>(record, "due", origin), json_get<std::string>(record, "what", origin),
         json_get<std::int64_t>(record, "run", origin), json_get<std::string>(record, "reason", origin),
         json_get<std::int64_t>(record, "at", origin)});
  }
  return state;
}

}  // namespace

std::filesystem::path schedule_state_path(const std::filesystem::path& data_dir) {
  return data_dir / "schedules.state.json";
}

ScheduleStates read_schedule_states(const std::filesystem::path& data_dir) {
  ScheduleStates states;
  const std::filesystem::path path = schedule_state_path(data_dir);
  if (!std::filesystem::exists(path)) return states;
  const Json json = read_json_file(path);
  for (const auto& [name, state] : json.items()) states.emplace(name, state_of(state, path.string() + ": " + name));
  return states;
}

ScheduleService::ScheduleService(std::filesystem::path file, Store& store, StartCycle start, const Clock& clock,
                                 Logger& logger)
    : file_(std::move(file)),
      store_(store),
      start_(std::move(start)),
      clock_(clock),
      logger_(logger),
      states_(read_schedule_states(store.data_dir())) {}

ScheduleService::~ScheduleService() { stop(); }

void ScheduleService::begin() {
  thread_ = std::thread([this, stop = stop_.get_token()] {
    while (!stop.stop_requested()) {
      const std::uint64_t seen = wakeup_.count();
      std::int64_t seconds = kLookSeconds;
      try {
        seconds = std::clamp<std::int64_t>(look() - clock_.wall_micros() / kMicros, 1, kLookSeconds);
      } catch (const std::exception& error) {
        logger_.error(std::string("schedules: ") + error.what());
      }
      if (!stop.stop_requested()) wakeup_.wait(seen, std::chrono::seconds(seconds));
    }
  });
}

void ScheduleService::stop() {
  stop_.request_stop();
  wakeup_.nudge();
  if (thread_.joinable()) thread_.join();
}

std::vector<Schedule> ScheduleService::schedules() {
  if (!std::filesystem::exists(file_)) return {};
  try {
    std::vector<Schedule> result = read_schedules(file_);
    complaint_.clear();
    return result;
  } catch (const Error& error) {
    if (complaint_ != error.what()) logger_.error("schedules are not followed: " + std::string(error.what()));
    complaint_ = error.what();
    return {};
  }
}

std::int64_t ScheduleService::look() {
  const std::int64_t now = clock_.wall_micros() / kMicros;
  std::int64_t next = now + kLookSeconds;
  for (const Schedule& schedule : schedules()) next = std::min(next, look_at(schedule, now));
  return next;
}

// The newest time of the schedule that some run was started for.
std::int64_t ScheduleService::started_before(const std::string& schedule) const {
  std::int64_t newest = 0;
  for (const Run& run : store_.read([](Reader& reader) { return list_runs(reader); })) {
    const auto origin = cycle_origin(run);
    if (origin && origin->schedule == schedule) newest = std::max(newest, origin->due);
  }
  return newest;
}

std::int64_t ScheduleService::look_at(const Schedule& schedule, std::int64_t now) {
  const bool is_new = !states_.contains(schedule.name);
  ScheduleState& state = states_[schedule.name];
  if (is_new) state.handled = now;  // a schedule begins when it is first seen
  state.handled = std::max(state.handled, started_before(schedule.name));
  if (state.queued > 0 && state.queued <= started_before(schedule.name)) state.queued = 0;
  ScheduleFacts facts{now, state.handled};
  if (state.queued > 0) facts.queued = state.queued;
  facts.run_active = !store_.read([](Reader& reader) { return list_runs(reader, RunState::kActive); }).empty();
  const ScheduleStep step = decide_schedule(schedule, facts);
  if (const auto* wait = std::get_if<schedule_step::Wait>(&step)) {
    if (is_new) save();
    return wait->until;
  }
  if (const auto* start = std::get_if<schedule_step::Start>(&step)) {
    start_cycle(schedule, *start, state, now);
  } else if (const auto* queue = std::get_if<schedule_step::Queue>(&step)) {
    state.queued = queue->due;
    note(schedule, state, {queue->due, "queued", 0, "another run was still going", now});
  } else {
    const auto& pass = std::get<schedule_step::Pass>(step);
    state.queued = 0;
    note(schedule, state, {pass.due, "passed", 0, pass.reason, now});
  }
  return now + 1;  // look again: another time may be due
}

void ScheduleService::start_cycle(const Schedule& schedule, const schedule_step::Start& step, ScheduleState& state,
                                  std::int64_t now) {
  state.queued = 0;
  try {
    const RunId run = start_(schedule, step.ends_at, {schedule.name, step.due});
    note(schedule, state, {step.due, "started", run.value, "", now});
  } catch (const Error& error) {
    note(schedule, state, {step.due, "failed", 0, error.what(), now});
  }
}

void ScheduleService::note(const Schedule& schedule, ScheduleState& state, CycleRecord record) {
  state.handled = std::max(state.handled, record.due);
  const std::string text = fmt::format("schedule {}, {}: {}{}{}", schedule.name, format_utc(record.due * kMicros),
                                       record.what, record.run > 0 ? fmt::format(" as run {}", record.run) : "",
                                       record.reason.empty() ? "" : " (" + record.reason + ")");
  if (record.what == "failed") logger_.error(text);
  else logger_.info(text);
  state.history.push_back(std::move(record));
  if (state.history.size() > kHistory) state.history.erase(state.history.begin());
  save();
}

void ScheduleService::save() {
  Json json = Json::object();
  for (const auto& [name, state] : states_) json[name] = state_json(state);
  write_file_durably(schedule_state_path(store_.data_dir()), to_json_text(json, 2) + "\n");
}

}  // namespace cutd
