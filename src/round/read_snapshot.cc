#include "round/read_snapshot.h"

#include "evaluation/stop_rule.h"
#include "round/anchors.h"
#include "round/canaries.h"
#include "round/judging_health.h"
#include "round/quorum.h"
#include "round/training_work.h"
#include "store/adapters.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/ledger.h"
#include "store/queue.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/units.h"

namespace cutd {
namespace {

std::optional<Adapter> read_adapter_row(Reader& reader, std::optional<AdapterId> id) {
  return id ? find_adapter(reader, *id) : std::nullopt;
}

void read_generation(Reader& reader, RoundId round, RoundSnapshot& snapshot) {
  const std::vector<Unit> units = list_units(reader, round);
  snapshot.planned = !units.empty();
  for (const Unit& unit : units) {
    if (unit.state == UnitState::kOpen) {
      if (!snapshot.open_unit) snapshot.open_unit = unit.id;
    } else {
      snapshot.responses += unit.samples;
    }
  }
}

void read_judgments(Reader& reader, const FrozenRun& frozen, RoundId round, RoundSnapshot& snapshot) {
  for (const Judgment& judgment : list_judgments(reader, round, frozen.annotator)) {
    if (judgment.state == JudgmentState::kPending) {
      ++snapshot.judgments_pending;
    } else if (judgment.failure.starts_with(kClosedFailure)) {
      continue;  // an operator closed the queue without it: nobody failed
    } else if (judgment.state == JudgmentState::kFailed || !judgment.validated) {
      ++snapshot.judgments_failed;
      if (snapshot.judgment_failure.empty()) snapshot.judgment_failure = judgment.failure;
    } else if (judgment.label == JudgmentLabel::kPositive) {
      ++snapshot.positives;
    } else {
      ++snapshot.negatives;
    }
  }
}

// Measured only where decide() looks at it: once everything is judged.
void read_round_alarm(Reader& reader, const FrozenRun& frozen, const Round& round, const RoundModels& models,
                      RoundSnapshot& snapshot) {
  if (snapshot.phase != Phase::kJudging) return;
  if (snapshot.judgments_pending > 0 || snapshot.canaries.judgments_pending > 0) return;
  snapshot.alarm = open_alarm(reader, round.id, "the judgments to train on",
                              round_alarms(reader, frozen, round, {models.untrained.key, models.parent.key}));
}

// Of one that would be promoted, once its anchors, if it has any, are judged.
void read_candidate_alarm(Reader& reader, const FrozenRun& frozen, const Round& round, const RoundModels& models,
                          const Comparison& comparison, RoundSnapshot& snapshot) {
  if (!comparison.verdict.promote) return;
  snapshot.anchors = read_anchor_facts(reader, frozen, round, models.parent.key, comparison);
  if (snapshot.anchors.wanted && (!snapshot.anchors.planned || snapshot.anchors.judgments_pending > 0)) return;
  const JudgingReferences references{models.untrained.key, models.parent.key};
  snapshot.alarm = open_alarm(reader, round.id, "the judgments of the candidate",
                              candidate_alarms(reader, frozen, round, models.candidate->key, references));
}

StopRule stop_rule_of(const Run& run) {
  return {run.round_count, run.patience, run.budget.value_or(0), run.ends_at.value_or(0)};
}

RunFacts read_run_facts(Reader& reader, const FrozenRun& frozen, const Run& run, std::int64_t now) {
  RunFacts facts;
  for (const Round& round : list_rounds(reader, run.id)) {
    if (round.phase != Phase::kCompleted) continue;
    ++facts.rounds_finished;
    facts.consecutive_rejections = round.outcome == Outcome::kRejected ? facts.consecutive_rejections + 1 : 0;
  }
  facts.now_wall_micros = now;
  for (const AnnotatorId payer : working_annotators(reader, frozen.annotator))
    facts.spent += spent_on_run(reader, run.id, frozen.annotator, payer);
  facts.instructions_left = count_unused_instructions(reader, run.id);
  facts.instructions_per_round = frozen.config.data.instructions_per_round;
  return facts;
}

}  // namespace

RoundModels read_round_models(Reader& reader, const FrozenRun& frozen, const Round& round,
                              const std::string& data_dir) {
  RoundModels models;
  models.untrained = evaluation_target(frozen, model_reference(frozen, std::nullopt, data_dir), Split::kGate);
  models.parent = evaluation_target(frozen, model_reference(frozen, read_adapter_row(reader, round.parent), data_dir),
                                    Split::kGate);
  if (const auto adapter = find_adapter(reader, round.id, AdapterKind::kCumulative)) {
    models.candidate = evaluation_target(frozen, model_reference(frozen, adapter, data_dir), Split::kGate);
  }
  return models;
}

RoundSnapshot read_round_snapshot(Reader& reader, const FrozenRun& frozen, const Round& round,
                                  const RoundModels& models) {
  RoundSnapshot snapshot;
  snapshot.id = round.id;
  snapshot.phase = round.phase;
  snapshot.pause_reason = round.reason;
  snapshot.max_missing_share = frozen.config.evaluation.max_missing_share;
  if (!is_active(round.phase)) return snapshot;
  if (!models.parent.model.is_base) snapshot.baseline = read_evaluation_facts(reader, models.untrained.key);
  snapshot.parent = read_evaluation_facts(reader, models.parent.key);
  read_generation(reader, round.id, snapshot);
  read_judgments(reader, frozen, round.id, snapshot);
  snapshot.min_training_examples = frozen.config.data.min_training_examples;
  const std::optional<FrozenManifest> manifest = find_manifest(reader, round.id);
  snapshot.manifest = manifest.has_value();
  snapshot.training_examples =
      manifest ? count_manifest_examples(*manifest, frozen.config.train)
               : count_training_examples(snapshot.positives, snapshot.negatives, frozen.config.train);
  snapshot.canaries = read_canary_facts(reader, frozen, round);
  read_round_alarm(reader, frozen, round, models, snapshot);
  snapshot.delta = find_adapter(reader, round.id, AdapterKind::kDelta).has_value();
  snapshot.cumulative = models.candidate.has_value();
  if (round.phase != Phase::kEvaluating || !models.candidate) return snapshot;
  snapshot.candidate = read_evaluation_facts(reader, models.candidate->key);
  const auto comparison =
      compare_evaluations(reader, frozen, models.untrained.key, models.parent.key, models.candidate->key);
  if (!comparison) return snapshot;
  snapshot.verdict = comparison->verdict;
  read_candidate_alarm(reader, frozen, round, models, *comparison, snapshot);
  return snapshot;
}

RunModels read_run_models(Reader& reader, const FrozenRun& frozen, RunId run, const std::string& data_dir) {
  const std::optional<Adapter> kept = read_adapter_row(reader, serving_adapter(reader, run));
  return {evaluation_target(frozen, model_reference(frozen, std::nullopt, data_dir), Split::kReport),
          evaluation_target(frozen, model_reference(frozen, kept, data_dir), Split::kReport)};
}

RunSnapshot read_run_snapshot(Reader& reader, const FrozenRun& frozen, const Run& run, const RunModels& models,
                              std::int64_t now) {
  RunSnapshot snapshot;
  snapshot.state = run.state;
  snapshot.max_missing_share = frozen.config.evaluation.max_missing_share;
  for (const Round& round : list_rounds(reader, run.id)) {
    if (is_final(round.phase)) continue;
    snapshot.open_round = round.id;
    snapshot.open_round_failed = round.phase == Phase::kFailed;
    snapshot.open_round_reason = "round " + std::to_string(round.number) + " failed: " + round.reason;
  }
  if (snapshot.open_round || run.state != RunState::kActive) return snapshot;
  snapshot.stop_reason = stop_reason(stop_rule_of(run), read_run_facts(reader, frozen, run, now));
  if (!snapshot.stop_reason) return snapshot;
  snapshot.untrained = read_evaluation_facts(reader, models.untrained.key);
  snapshot.kept = read_evaluation_facts(reader, models.kept.key);
  return snapshot;
}

}  // namespace cutd
