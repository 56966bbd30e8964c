#include "round/run_service.h"

#include <fmt/format.h>

#include <mutex>
#include <thread>

#include "core/error.h"
#include "round/adapter_files.h"
#include "round/event_log.h"
#include "round/judge_workers.h"
#include "round/judging.h"
#include "round/people.h"
#include "round/quorum.h"
#include "round/round_runner.h"
#include "round/run_commands.h"
#include "round/run_start.h"
#include "round/wakeup.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {

class RunService::Impl {
 public:
  Impl(Store& store, Engine& engine, RunServiceOptions options, const Clock& clock, Logger& logger)
      : store_(store),
        options_(std::move(options)),
        clock_(clock),
        logger_(logger),
        board_(clock),
        runner_(store, engine, board_, {options_.text, options_.disk_retry, options_.free_disk}, clock, logger),
        workers_(
            judge_room(), [this](const std::string& name, const auto& work) { guard(name, work); }, judge_wakeup_,
            options_.poll) {
    sweep_data_folder(store, logger);
    recover_attempts(store, logger);
    store.write([&](Writer& writer) { begin_queues(writer, {boot_id(), clock.boot_millis()}); });
  }
  ~Impl() { stop(); }

  void begin() {
    announce_unfinished();
    runner_thread_ = std::thread([this, stop = stop_.get_token()] {
      guard("runner", [&] { run_rounds(stop); });
      board_.idle();
    });
    tending_thread_ = std::thread([this, stop = stop_.get_token()] { guard("judges", [&] { tend(stop); }); });
  }

  void stop() {
    stop_.request_stop();
    interrupt({});
    wakeup_.nudge();
    if (runner_thread_.joinable()) runner_thread_.join();
    if (tending_thread_.joinable()) tending_thread_.join();
    workers_.join();  // nobody starts one any more
  }

  std::optional<std::string> failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

  RunId start(const RunConfig& config, const FileReader& files, const std::optional<CycleOrigin>& cycle) {
    const RunId run = start_run(store_, config, files, options_.text, logger_, cycle);
    board_.say(fmt::format("run {} started", run.value));
    wakeup_.nudge();
    return run;
  }

  // Performs a command's transaction, then interrupts the unit of that run, if one is at work.
  template <typename Command>
  void command(Command act) {
    const RunId run = store_.write([&](Writer& writer) { return act(writer); });
    interrupt(run);
    wakeup_.nudge();
  }

  const ProgressBoard& board() const { return board_; }
  std::vector<JudgeTrouble> judge_troubles() const { return troubles_.list(); }

  RunState wait(RunId run, std::stop_token stop, const std::function<void(const ProgressSnapshot&)>& on_progress) {
    std::uint64_t version = 0;
    while (true) {
      const std::optional<Run> row = store_.read([&](Reader& reader) { return find_run(reader, run); });
      if (!row) throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(run.value));
      const ProgressSnapshot now = board_.snapshot();
      if (now.version != version && on_progress) on_progress(now);
      version = now.version;
      if (row->state != RunState::kActive || stop.stop_requested() || failure()) return row->state;
      board_.wait_for_change(version, std::chrono::milliseconds(500));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // at most ten calls a second
    }
  }

 private:
  JudgeRoom judge_room() {
    JudgeRoom room{store_, options_.judges, clock_, logger_, troubles_};
    room.say = [this](const std::string& news) { board_.say(news); };
    room.settled = [this] {
      wakeup_.nudge();
      judge_wakeup_.nudge();  // a quorum may have what it waited for
    };
    return room;
  }

  // What escapes a thread is storage that failed or a bug: all of them end, the process must be restarted.
  template <typename Work>
  void guard(const std::string& name, const Work& work) {
    try {
      work();
    } catch (const std::exception& error) {
      logger_.error(name + " stopped: " + error.what());
      {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = error.what();
      }
      stop_.request_stop();
      interrupt({});
      wakeup_.nudge();
    }
  }

  void run_rounds(std::stop_token stop) {
    EventLog events(store_, logger_);
    while (!stop.stop_requested()) {
      const std::uint64_t seen = wakeup_.count();
      bool worked = false;
      for (const Run& run : store_.read([](Reader& reader) { return list_runs(reader, RunState::kActive); })) {
        const StepResult result = runner_.step(run.id, unit_stop(run.id, stop));
        if (result != StepResult::kWorked) continue;  // it waits, for people perhaps: the engine is free for the next
        worked = true;
        judge_wakeup_.nudge();
        break;
      }
      events.write_new();
      if (!worked) wakeup_.wait(seen, options_.poll);
    }
  }

  // On a steady beat, whatever the judges do: it waits for the store alone.
  void tend(std::stop_token stop) {
    while (!stop.stop_requested()) {
      const std::uint64_t seen = judge_wakeup_.count();
      if (resolve_quorums(store_) > 0) wakeup_.nudge();
      tend_queues(store_, clock_.boot_millis(), [&](const std::string& news) { board_.say(news); });
      workers_.tend(stop);
      judge_wakeup_.wait(seen, options_.poll);
    }
  }

  // The stop token of one unit: a command for this run, or the end of the service.
  std::stop_token unit_stop(RunId run, std::stop_token service) {
    const std::lock_guard lock(mutex_);
    unit_source_ = std::stop_source();
    unit_run_ = run;
    if (service.stop_requested()) unit_source_.request_stop();
    return unit_source_.get_token();
  }

  // `run` 0: whatever is at work.
  void interrupt(RunId run) {
    const std::lock_guard lock(mutex_);
    if (!run || run == unit_run_) unit_source_.request_stop();
    judge_wakeup_.nudge();
  }

  void announce_unfinished() {
    store_.read([&](Reader& reader) {
      for (const Run& run : list_runs(reader, RunState::kActive)) {
        for (const Round& round : list_rounds(reader, run.id)) {
          if (is_final(round.phase)) continue;
          board_.say(fmt::format("run {} goes on: round {} of {} is {}", run.id.value, round.number, run.round_count,
                                 name_of(round.phase)));
        }
      }
    });
  }

  Store& store_;
  const RunServiceOptions options_;
  const Clock& clock_;
  Logger& logger_;
  ProgressBoard board_;
  Wakeup wakeup_;        // the runner: look again
  Wakeup judge_wakeup_;  // who tends the judges, and they: look again
  JudgeTroubles troubles_;
  RoundRunner runner_;  // used by the runner thread alone
  mutable std::mutex mutex_;
  std::optional<std::string> failure_;  // guarded by mutex_, as the two below
  std::stop_source unit_source_;
  RunId unit_run_;
  std::stop_source stop_;  // of all threads
  std::thread runner_thread_;
  std::thread tending_thread_;
  JudgeWorkers workers_;  // tended by that one
};

RunService::RunService(Store& store, Engine& engine, RunServiceOptions options, const Clock& clock, Logger& logger)
    : impl_(std::make_unique<Impl>(store, engine, std::move(options), clock, logger)) {}
RunService::~RunService() = default;

void RunService::begin() { impl_->begin(); }
void RunService::stop() { impl_->stop(); }
std::optional<std::string> RunService::failure() const { return impl_->failure(); }
RunId RunService::start(const RunConfig& config, const FileReader& files, const std::optional<CycleOrigin>& cycle) {
  return impl_->start(config, files, cycle);
}

void RunService::pause(RunId run, const std::string& why) {
  impl_->command([&](Writer& writer) {
    pause_run(writer, run, why);
    return run;
  });
}
void RunService::resume(RunId run, const std::string& why, bool acknowledge) {
  impl_->command([&](Writer& writer) {
    if (acknowledge) resume_acknowledged_run(writer, run, why);
    else resume_run(writer, run, why);
    return run;
  });
}
void RunService::cancel(RunId run, const std::string& why) {
  impl_->command([&](Writer& writer) {
    cancel_run(writer, run, why);
    return run;
  });
}
void RunService::retry(RoundId round, const std::string& why) {
  impl_->command([&](Writer& writer) { return retry_failed_round(writer, round, why); });
}

const ProgressBoard& RunService::progress() const { return impl_->board(); }
std::vector<JudgeTrouble> RunService::judge_troubles() const { return impl_->judge_troubles(); }

RunState RunService::wait(RunId run, std::stop_token stop,
                          const std::function<void(const ProgressSnapshot&)>& on_progress) {
  return impl_->wait(run, stop, on_progress);
}

}  // namespace cutd
