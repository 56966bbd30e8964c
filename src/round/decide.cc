#include "round/decide.h"

#include <fmt/format.h>

namespace cutd {
namespace {

// The one pause that ends by itself.
constexpr const char* kDiskPause = "disk";

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

const char* subject_name(Subject subject) {
  switch (subject) {
    case Subject::kBaseline: return "untrained model";
    case Subject::kParent: return "parent";
    case Subject::kCandidate: return "candidate";
    case Subject::kUntrained: return "untrained model";
    case Subject::kKept: return "kept model";
  }
  return "model";
}

// The end of a sentence about failed judgments.
std::string and_then(const std::string& failure) {
  return fmt::format("for example: {}; retry when the annotator works", failure.empty() ? "no reason given" : failure);
}

// A few answers that no judge gets done with (refused at every try) must not end a night: they are left out of both
// sides of the comparison. Many would make it another score, and say that the annotator does not work.
bool too_many_missing(const EvaluationFacts& facts, double max_missing_share) {
  const auto all = static_cast<double>(facts.judgments_done + facts.judgments_failed);
  return static_cast<double>(facts.judgments_failed) > max_missing_share * all;
}

// Nothing when the evaluation is done.
std::optional<Action> next_of_evaluation(Subject subject, const EvaluationFacts& facts, double max_missing_share) {
  if (facts.done) return std::nullopt;
  if (!facts.planned) return action::PlanEvaluation{subject};
  if (facts.open_unit) return action::GenerateEvaluation{subject, *facts.open_unit};
  if (facts.responses_unscored > 0) return action::ScoreEvaluation{subject};
  if (facts.judgments_pending > 0) return action::AwaitEvaluationJudgments{subject};
  if (too_many_missing(facts, max_missing_share)) {
    return action::Fail{
        fmt::format("{} of {} judgments of the {} on the held-out set failed, more than "
                    "evaluation.max_missing_share ({:.3g}) lets go, {}",
                    facts.judgments_failed, facts.judgments_done + facts.judgments_failed, subject_name(subject),
                    max_missing_share, and_then(facts.judgment_failure))};
  }
  return action::FinishEvaluation{subject};
}

// What a candidate is measured against. Nothing when it is all there.
std::optional<Action> next_of_references(const RoundSnapshot& round) {
  if (round.baseline) {
    if (auto next = next_of_evaluation(Subject::kBaseline, *round.baseline, round.max_missing_share)) return next;
  }
  return next_of_evaluation(Subject::kParent, round.parent, round.max_missing_share);
}

Action decide_created(const RoundSnapshot& round) {
  if (const auto next = next_of_references(round)) return *next;
  if (!round.planned) return action::PlanRound{};
  if (round.canaries.wanted && !round.canaries.planned) return action::PlanCanaries{};
  return action::Advance{Phase::kCreated, Phase::kGenerating, "units planned"};
}

Action decide_generating(const RoundSnapshot& round) {
  if (round.open_unit) return action::Generate{*round.open_unit};
  return action::Advance{Phase::kGenerating, Phase::kJudging, fmt::format("{} responses generated", round.responses)};
}

Action decide_judging(const RoundSnapshot& round) {
  if (round.judgments_pending > 0 || round.canaries.judgments_pending > 0) return action::AwaitJudgments{};
  const std::int64_t done = round.positives + round.negatives;
  if (round.judgments_failed > done) {
    return action::Fail{fmt::format("{} of {} judgments failed, {}", round.judgments_failed,
                                    round.judgments_failed + done, and_then(round.judgment_failure))};
  }
  if (!round.alarm.empty()) return action::Hold{round.alarm};
  return action::Advance{Phase::kJudging, Phase::kTraining,
                         fmt::format("{} satisfactory, {} criticised, {} failed judgments", round.positives,
                                     round.negatives, round.judgments_failed)};
}

std::string too_few_examples(const RoundSnapshot& round) {
  return fmt::format(
      "nothing was trained: {} examples from {} satisfactory and {} criticised responses, at least {} are needed",
      round.training_examples, round.positives, round.negatives, round.min_training_examples);
}

// Nothing when the round's adapters are published.
std::optional<Action> next_of_adapter(const RoundSnapshot& round) {
  if (!round.delta) return action::Train{};
  if (!round.cumulative) return action::PublishCumulative{};
  return std::nullopt;
}

Action decide_training(const RoundSnapshot& round) {
  // Before the manifest is frozen this is a bound; the cut-off length and equal responses take away from it.
  if (round.training_examples < round.min_training_examples) {
    return action::Advance{Phase::kTraining, Phase::kEvaluating, too_few_examples(round)};
  }
  if (!round.manifest) return action::FreezeManifest{};
  if (const auto next = next_of_adapter(round)) return *next;
  return action::Advance{Phase::kTraining, Phase::kEvaluating, "adapter published"};
}

// Whether what the judge says may promote. What is rejected anyway needs nobody's look.
Action decide_promoting(const RoundSnapshot& round) {
  if (round.anchors.wanted && !round.anchors.planned) return action::PlanAnchors{};
  if (round.anchors.judgments_pending > 0) return action::AwaitJudgments{};
  if (!round.alarm.empty()) return action::Hold{round.alarm};
  return action::Promote{round.verdict->reason};
}

Action decide_evaluating(const RoundSnapshot& round) {
  if (!round.manifest || round.training_examples < round.min_training_examples)
    return action::Reject{too_few_examples(round)};
  // An adapter that turned out damaged on disk was put aside and is made again.
  if (const auto next = next_of_adapter(round)) return *next;
  if (const auto next = next_of_references(round)) return *next;
  if (const auto next = next_of_evaluation(Subject::kCandidate, round.candidate, round.max_missing_share)) return *next;
  if (!round.verdict) return action::Fail{"both evaluations are done but cannot be compared"};
  if (round.verdict->promote) return decide_promoting(round);
  return action::Reject{round.verdict->reason};
}

}  // namespace

Action decide(const RoundSnapshot& round) {
  if (round.phase == Phase::kPaused) {
    const bool for_disk = round.pause_reason.starts_with(kDiskPause);
    if (for_disk && !round.disk_low) return action::Resume{"there is room on the disk again"};
    return action::Idle{};
  }
  if (!is_active(round.phase)) return action::Idle{};
  if (round.disk_low) return action::Pause{std::string(kDiskPause) + ": less free space than run.min_free_disk_mb"};
  switch (round.phase) {
    case Phase::kCreated: return decide_created(round);
    case Phase::kGenerating: return decide_generating(round);
    case Phase::kJudging: return decide_judging(round);
    case Phase::kTraining: return decide_training(round);
    default: return decide_evaluating(round);
  }
}

Action decide_run(const RunSnapshot& run) {
  if (run.state != RunState::kActive) return action::Idle{};
  if (run.open_round) {
    if (run.open_round_failed) return action::FailRun{run.open_round_reason};
    return action::Idle{};
  }
  if (!run.stop_reason) return action::StartRound{};
  if (const auto next = next_of_evaluation(Subject::kUntrained, run.untrained, run.max_missing_share)) return *next;
  if (const auto next = next_of_evaluation(Subject::kKept, run.kept, run.max_missing_share)) return *next;
  return action::CompleteRun{*run.stop_reason};
}

std::string work_name(const Action& action) {
  return std::visit(
      Overloaded{
          [](const action::PlanEvaluation& a) {
            return fmt::format("plan evaluation of the {}", subject_name(a.subject));
          },
          [](const action::GenerateEvaluation& a) { return fmt::format("generate unit {}", a.unit.value); },
          [](const action::AwaitEvaluationJudgments& a) {
            return fmt::format("judge the {}", subject_name(a.subject));
          },
          [](const action::ScoreEvaluation& a) { return fmt::format("score the {}", subject_name(a.subject)); },
          [](const action::FinishEvaluation& a) {
            return fmt::format("finish evaluation of the {}", subject_name(a.subject));
          },
          [](const action::PlanRound&) { return std::string("plan"); },
          [](const action::PlanCanaries&) { return std::string("plan canaries"); },
          [](const action::PlanAnchors&) { return std::string("plan anchors"); },
          [](const action::Generate& a) { return fmt::format("generate unit {}", a.unit.value); },
          [](const action::AwaitJudgments&) { return std::string("judge"); },
          [](const action::FreezeManifest&) { return std::string("freeze manifest"); },
          [](const action::Train&) { return std::string("train"); },
          [](const action::PublishCumulative&) { return std::string("publish"); },
          [](const auto&) { return std::string("step"); },
      },
      action);
}

AfterFailure after_failure(ErrorCode code, bool disk_low, std::int64_t failures) {
  switch (code) {
    case ErrorCode::kCancelled:
    case ErrorCode::kConflict: return AfterFailure::kLookAgain;
    case ErrorCode::kIo: return AfterFailure::kStopDaemon;
    case ErrorCode::kUsage:
    case ErrorCode::kBadInput:
    case ErrorCode::kNotFound: return AfterFailure::kFailRound;
    case ErrorCode::kResource:
      if (disk_low) return AfterFailure::kPauseDisk;
      break;
    default: break;
  }
  return failures >= kMaxFailures ? AfterFailure::kFailRound : AfterFailure::kRedo;
}

}  // namespace cutd
