#include "round/run_commands.h"

#include "core/error.h"
#include "round/canaries.h"
#include "round/frozen_run.h"
#include "round/judging_health.h"
#include "round/quorum.h"
#include "store/evaluations.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

Run require_run(Reader& reader, RunId id) {
  const std::optional<Run> run = find_run(reader, id);
  if (!run) throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(id.value));
  return *run;
}

std::optional<Round> open_round(Reader& reader, RunId run) {
  for (const Round& round : list_rounds(reader, run)) {
    if (!is_final(round.phase)) return round;
  }
  return std::nullopt;
}

void refuse(const Run& run, const std::string& command) {
  throw Error(ErrorCode::kConflict, "run " + std::to_string(run.id.value) + " is " + std::string(name_of(run.state)) +
                                        ": cannot " + command + " it");
}

// A quorum's and its members'.
void retry_judgments(Writer& writer, UnitOwner owner, AnnotatorId annotator) {
  retry_failed_judgments(writer, owner, annotator);
  for (const AnnotatorId member : working_annotators(writer, annotator)) retry_failed_judgments(writer, owner, member);
}

void retry_open_evaluations(Writer& writer) {
  for (const Evaluation& evaluation : list_evaluations(writer)) {
    if (is_canary_evaluation(evaluation)) continue;  // with their round
    if (evaluation.state == EvaluationState::kOpen) retry_judgments(writer, evaluation.id, evaluation.key.annotator);
  }
}

// A run that failed between rounds (its final report, a damaged adapter) has no round to retry.
void resume_failed_run(Writer& writer, const Run& run, const std::optional<Round>& round, const std::string& why) {
  if (round && round->phase == Phase::kFailed) {
    throw Error(ErrorCode::kConflict, "run " + std::to_string(run.id.value) +
                                          " failed in a round: retry it (cutd round retry " +
                                          std::to_string(round->id.value) + ")");
  }
  retry_open_evaluations(writer);
  move_run(writer, run.id, RunState::kFailed, RunState::kActive, why);
}

}  // namespace

void pause_run(Writer& writer, RunId id, const std::string& why) {
  const Run run = require_run(writer, id);
  if (run.state != RunState::kActive) refuse(run, "pause");
  move_run(writer, id, RunState::kActive, RunState::kPaused, why);
  const std::optional<Round> round = open_round(writer, id);
  if (round && is_active(round->phase)) pause_round(writer, round->id, round->phase, why);
}

namespace {

void resume(Writer& writer, RunId id, const std::string& why, bool acknowledge) {
  const Run run = require_run(writer, id);
  const std::optional<Round> round = open_round(writer, id);
  if (run.state == RunState::kFailed) return resume_failed_run(writer, run, round, why);
  const bool round_paused = round && round->phase == Phase::kPaused;
  // A run that waits for disk is active; its round can be resumed by hand as well.
  if (run.state != RunState::kPaused && !(run.state == RunState::kActive && round_paused)) refuse(run, "resume");
  if (round && is_alarm_pause(*round) && !acknowledge) {
    throw Error(ErrorCode::kConflict, "run " + std::to_string(id.value) + " was paused by an " + round->reason +
                                          ": cutd run resume " + std::to_string(id.value) + " --acknowledge");
  }
  if (run.state == RunState::kPaused) move_run(writer, id, RunState::kPaused, RunState::kActive, why);
  if (round_paused) resume_round(writer, round->id, why);
}

}  // namespace

void resume_run(Writer& writer, RunId id, const std::string& why) { resume(writer, id, why, false); }
void resume_acknowledged_run(Writer& writer, RunId id, const std::string& why) { resume(writer, id, why, true); }

void cancel_run(Writer& writer, RunId id, const std::string& why) {
  const Run run = require_run(writer, id);
  if (run.state == RunState::kCompleted || run.state == RunState::kCancelled) refuse(run, "cancel");
  if (const std::optional<Round> round = open_round(writer, id)) cancel_round(writer, round->id, round->phase, why);
  move_run(writer, id, run.state, RunState::kCancelled, why);
}

RunId retry_failed_round(Writer& writer, RoundId id, const std::string& why) {
  const std::optional<Round> round = find_round(writer, id);
  if (!round) throw Error(ErrorCode::kNotFound, "there is no round " + std::to_string(id.value));
  if (round->phase != Phase::kFailed) {
    throw Error(ErrorCode::kConflict, "round " + std::to_string(id.value) + " is " +
                                          std::string(name_of(round->phase)) + ": only a failed round can be retried");
  }
  const Run run = require_run(writer, round->run);
  retry_judgments(writer, id, frozen_annotator(run));
  const auto canaries = find_evaluation(writer, canary_key(frozen_run_of(run), *round));
  if (canaries) retry_judgments(writer, canaries->id, canaries->key.annotator);
  retry_open_evaluations(writer);
  retry_round(writer, id, why);
  if (run.state == RunState::kFailed) move_run(writer, run.id, RunState::kFailed, RunState::kActive, why);
  return run.id;
}

}  // namespace cutd
