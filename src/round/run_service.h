// What the server's handlers and `cutd demo` call: starts runs and steers them. Owns the threads that work: the runner,
// the one that tends people's queues, quorums and judges, and a thread for each judge (docs/architecture.md, threads).
// Everything they must know is in the store, so a service made on an old folder simply goes on.
//
//   RunService service(store, engine, {}, clock, logger);
//   RunId run = service.start(config, files_beside("examples"));
//   service.begin();                        // the threads; before this nothing happens
//   service.wait(run, {}, [&](const ProgressSnapshot& now) { draw(now); });
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "core/log.h"
#include "engine/engine.h"
#include "judge_client/annotator.h"
#include "round/frozen_run.h"
#include "round/instruction_sets.h"
#include "round/judge_seat.h"
#include "round/progress.h"
#include "round/run_config.h"
#include "round/run_text.h"
#include "store/store.h"

namespace cutd {

struct RunServiceOptions {
  RunTextReader text = read_run_text;  // tests pass a tokenizer of their own
  JudgeFactory judges = make_judge;
  // How often waiting threads look at the store without being nudged.
  std::chrono::milliseconds poll{1000};
  // How long a round that is paused for a full disk waits before it looks again.
  std::chrono::milliseconds disk_retry{10'000};
  std::function<std::uintmax_t(const std::filesystem::path&)> free_disk = free_disk_bytes;
};

// Thread-safe. `store`, `engine`, `clock` and `logger` must outlive it.
class RunService {
 public:
  // Sweeps what a crash left behind: temporary folders of older epochs are removed, adapter folders
  // without a row are moved to DATA/quarantine.
  RunService(Store& store, Engine& engine, RunServiceOptions options, const Clock& clock, Logger& logger);
  ~RunService();  // stop(), then joins

  // Starts the threads. Unfinished runs go on by themselves.
  void begin();
  // Asks all threads to stop within the present step; what was not finished is redone at the next start.
  void stop();
  // The failure that ended a worker (disk, I/O, a bug), after which only a new process can go on.
  std::optional<std::string> failure() const;

  // Reads and stores the instructions, freezes the configuration and makes the run. Throws Error(kUsage,
  // kBadInput, kNotFound) naming key or file; then nothing was stored. Without a gate set no run starts.
  RunId start(const RunConfig& config, const FileReader& files, const std::optional<CycleOrigin>& cycle = {});

  // Commands act at once on the store; the present unit is interrupted and redone later. After pause() and cancel()
  // no paid request of that run begins (store/attempts.h); those under way may end, and are settled. Error(kNotFound)
  // for an unknown id, kConflict when the state does not allow it.
  void pause(RunId run, const std::string& why);
  void resume(RunId run, const std::string& why, bool acknowledge = false);  // acknowledge: an alarm (run_commands.h)
  void cancel(RunId run, const std::string& why);
  void retry(RoundId round, const std::string& why);  // a failed round, and its run with it

  const ProgressBoard& progress() const;
  std::vector<JudgeTrouble> judge_troubles() const;  // which judges do not answer just now

  // Blocks until the run is no longer active (paused, completed, failed, cancelled), `stop` is requested or
  // failure() is set; the state then. `on_progress` is called from this thread, at most ten times a second.
  RunState wait(RunId run, std::stop_token stop, const std::function<void(const ProgressSnapshot&)>& on_progress);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutd
