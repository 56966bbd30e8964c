// Moves a run on, one action at a time: read the facts, decide(), perform the action, commit it. All state is
// in the store; a runner made after a crash goes on where the facts say.
//
// Crash points (core/fault.h) on the way of a round, in order; the action is done again after a kill at any:
//   plan.after_units · generate.before_commit · generate.after_commit · judge.after_intent ·
//   judge.before_settle · judge.before_judgment · manifest.before_row · manifest.after_row · train.after_step ·
//   train.before_publish · publish.before_rename · publish.after_rename · publish.before_row ·
//   publish.after_row · evaluate.before_score_commit · evaluate.before_finish · evaluate.after_finish ·
//   promote.before_commit · promote.after_commit · run.before_complete
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "engine/engine.h"
#include "round/decide.h"
#include "round/progress.h"
#include "round/read_snapshot.h"
#include "round/run_text.h"
#include "round/work_context.h"
#include "store/store.h"

namespace cutd {

enum class StepResult {
  kWorked,   // something changed: ask again
  kWaiting,  // for judgments
  kIdle,     // nothing to do: paused, over, or waiting for disk
};

struct RoundRunnerOptions {
  RunTextReader text;
  std::chrono::milliseconds disk_retry{10'000};  // how long a pause for a full disk lasts at least
  std::function<std::uintmax_t(const std::filesystem::path&)> free_disk;  // bytes (free_disk_bytes)
};

// One thread. Everything given must outlive it.
class RoundRunner {
 public:
  RoundRunner(Store& store, Engine& engine, ProgressBoard& board, RoundRunnerOptions options, const Clock& clock,
              Logger& logger);

  // Performs one action of an active run. Failures of a unit of work become facts (counted, then the round
  // fails) and are not thrown; what is thrown is storage that failed, after which nothing can be promised.
  // When `stop` is requested the unit is given up and redone later.
  StepResult step(RunId run, std::stop_token stop);

 private:
  struct Scene;  // a run with what was read of it for this step

  const FrozenRun& frozen_of(const Run& run);
  Scene read_scene(RunId run);
  StepResult try_action(const Scene& scene, const Action& action, std::stop_token stop);
  StepResult perform(const Scene& scene, const Action& action, std::stop_token stop);
  StepResult perform_change(const Scene& scene, const Action& action);
  StepResult perform_evaluation(const Scene& scene, const Action& action, WorkContext& context);
  void perform_training(const Scene& scene, const Action& action, WorkContext& context);
  void plan_round(const Scene& scene, WorkContext& context);
  void start_round(const Scene& scene);
  void promote(const Scene& scene, const std::string& why);
  void finish_run(const Scene& scene, RunState state, const std::string& why);
  void forget_failures(const Scene& scene, const Action& action);
  void check_parent(const ModelReference& model);
  void check_model(const Scene& scene, Subject subject);
  StepResult handle_failure(const Scene& scene, const Action& action, const Error& error);
  bool disk_low(const FrozenRun& frozen) const;
  const RunText& text_of(const FrozenRun& frozen);
  const EvaluationTarget& target_of(const Scene& scene, Subject subject) const;
  std::string activity_name(const Scene& scene, Subject subject) const;

  Store& store_;
  Engine& engine_;
  ProgressBoard& board_;
  const RoundRunnerOptions options_;
  const Clock& clock_;
  Logger& logger_;
  std::map<std::string, RunText> texts_;        // by model folder and template
  std::map<RunId, FrozenRun> frozen_;           // of the runs that it took steps of: read once, for it never changes
  std::set<AdapterId> checked_;                 // adapters whose folders this process found undamaged
  std::map<RunId, std::int64_t> run_failures_;  // of the final report, which has no round
  std::int64_t conflicts_ = 0;                  // in a row
  std::int64_t disk_wait_until_ = 0;            // boot milliseconds; 0: not waiting
};

}  // namespace cutd
