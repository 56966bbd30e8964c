// decide() as a table: a snapshot, the action it must have. Together the rows produce every action there is
// (transition coverage) and hold every row of the crash table of docs/architecture.md.
#include "round/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace cutd {
namespace {

using ::testing::HasSubstr;

EvaluationFacts done() { return {.planned = true, .done = true}; }
EvaluationFacts planned() { return {.planned = true}; }

// A round in `phase` with everything before that phase finished.
RoundSnapshot at(Phase phase) {
  RoundSnapshot round;
  round.id = {1};
  round.phase = phase;
  round.min_training_examples = 8;
  if (phase == Phase::kCreated) return round;
  round.parent = done();
  round.planned = true;
  if (phase == Phase::kGenerating) return round;
  round.responses = 20;
  if (phase == Phase::kJudging) return round;
  round.positives = 12;
  round.negatives = 8;
  round.training_examples = 20;
  if (phase == Phase::kTraining) return round;
  round.manifest = round.delta = round.cumulative = true;
  return round;
}

RoundSnapshot with(Phase phase, const std::function<void(RoundSnapshot&)>& change) {
  RoundSnapshot round = at(phase);
  change(round);
  return round;
}

RoundSnapshot paused(const std::string& reason, bool disk_low) {
  RoundSnapshot round;
  round.phase = Phase::kPaused;
  round.pause_reason = reason;
  round.disk_low = disk_low;
  return round;
}

struct RoundRow {
  std::string name;
  RoundSnapshot round;
  std::string action;  // as describe() has it
};

const char* name_of_subject(Subject subject) {
  constexpr const char* kNames[] = {"baseline", "parent", "candidate", "untrained", "kept"};
  return kNames[static_cast<int>(subject)];
}

template <typename... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Match(Cases...) -> Match<Cases...>;

std::string describe(const Action& action) {
  const auto of = [](const char* what, Subject subject) { return std::string(what) + " " + name_of_subject(subject); };
  return std::visit(Match{
                        [](const action::Idle&) { return std::string("idle"); },
                        [&](const action::PlanEvaluation& a) { return of("plan evaluation", a.subject); },
                        [&](const action::GenerateEvaluation& a) {
                          return of("generate evaluation", a.subject) + " " + std::to_string(a.unit.value);
                        },
                        [&](const action::AwaitEvaluationJudgments& a) { return of("await evaluation", a.subject); },
                        [&](const action::ScoreEvaluation& a) { return of("score", a.subject); },
                        [&](const action::FinishEvaluation& a) { return of("finish evaluation", a.subject); },
                        [](const action::PlanRound&) { return std::string("plan round"); },
                        [](const action::PlanCanaries&) { return std::string("plan canaries"); },
                        [](const action::PlanAnchors&) { return std::string("plan anchors"); },
                        [](const action::Generate& a) { return "generate " + std::to_string(a.unit.value); },
                        [](const action::AwaitJudgments&) { return std::string("await judgments"); },
                        [](const action::Advance& a) { return "advance to " + std::string(name_of(a.to)); },
                        [](const action::FreezeManifest&) { return std::string("freeze manifest"); },
                        [](const action::Train&) { return std::string("train"); },
                        [](const action::PublishCumulative&) { return std::string("publish cumulative"); },
                        [](const action::Promote&) { return std::string("promote"); },
                        [](const action::Reject&) { return std::string("reject"); },
                        [](const action::Pause&) { return std::string("pause"); },
                        [](const action::Hold&) { return std::string("hold"); },
                        [](const action::Resume&) { return std::string("resume"); },
                        [](const action::Fail&) { return std::string("fail"); },
                        [](const action::StartRound&) { return std::string("start round"); },
                        [](const action::CompleteRun&) { return std::string("complete run"); },
                        [](const action::FailRun&) { return std::string("fail run"); },
                    },
                    action);
}

// clang-format off
std::vector<RoundRow> round_rows() {
  using P = Phase;
  using R = RoundSnapshot;
  return {
      // created: the baseline first
      {"the base has none and is not the parent", with(P::kCreated, [](R& r) { r.baseline = EvaluationFacts{}; }), "plan evaluation baseline"},
      {"the base's is done", with(P::kCreated, [](R& r) { r.baseline = done(); }), "plan evaluation parent"},
      {"the parent has no evaluation", at(P::kCreated), "plan evaluation parent"},
      {"the parent's has an open unit", with(P::kCreated, [](R& r) { r.parent = {.planned = true, .open_unit = UnitId{7}}; }), "generate evaluation parent 7"},
      {"the parent's is not scored", with(P::kCreated, [](R& r) { r.parent = {.planned = true, .judgments_pending = 2, .responses_unscored = 3}; }), "score parent"},
      {"the parent's is not judged", with(P::kCreated, [](R& r) { r.parent = {.planned = true, .judgments_pending = 2}; }), "await evaluation parent"},
      {"a judgment of the parent's failed", with(P::kCreated, [](R& r) { r.parent = {.planned = true, .judgments_failed = 1}; }), "fail"},
      {"the parent's is complete", with(P::kCreated, [](R& r) { r.parent = planned(); }), "finish evaluation parent"},
      {"the baseline is there, killed while planning: no units", with(P::kCreated, [](R& r) { r.parent = done(); }), "plan round"},
      {"killed while planning: all units", with(P::kCreated, [](R& r) { r.parent = done(); r.planned = true; }), "advance to generating"},
      {"the canaries are missing", with(P::kCreated, [](R& r) { r.parent = done(); r.planned = true; r.canaries.wanted = true; }), "plan canaries"},
      {"killed after the canaries were planned", with(P::kCreated, [](R& r) { r.parent = done(); r.planned = true; r.canaries = {true, true, 9}; }), "advance to generating"},
      // generating
      {"killed while generating", with(P::kGenerating, [](R& r) { r.open_unit = UnitId{3}; }), "generate 3"},
      {"judging overlaps generating", with(P::kGenerating, [](R& r) { r.open_unit = UnitId{4}; r.judgments_pending = 9; }), "generate 4"},
      {"every unit is generated", at(P::kGenerating), "advance to judging"},
      // judging
      {"killed while judging", with(P::kJudging, [](R& r) { r.judgments_pending = 1; r.positives = 19; }), "await judgments"},
      {"every response is judged", with(P::kJudging, [](R& r) { r.positives = 12; r.negatives = 8; }), "advance to training"},
      {"half of the judgments failed", with(P::kJudging, [](R& r) { r.positives = 10; r.judgments_failed = 10; }), "advance to training"},
      {"most judgments failed", with(P::kJudging, [](R& r) { r.positives = 9; r.judgments_failed = 11; }), "fail"},
      {"all judgments failed", with(P::kJudging, [](R& r) { r.judgments_failed = 20; }), "fail"},
      {"a canary is not judged", with(P::kJudging, [](R& r) { r.positives = 20; r.canaries = {true, true, 1}; }), "await judgments"},
      {"an alarm about the judgments", with(P::kJudging, [](R& r) { r.positives = 20; r.alarm = "alarm: x"; }), "hold"},
      {"an alarm while judgments are missing", with(P::kJudging, [](R& r) { r.judgments_pending = 1; r.alarm = "alarm: x"; }), "await judgments"},
      // training
      {"killed before the manifest's row", at(P::kTraining), "freeze manifest"},
      {"too few examples", with(P::kTraining, [](R& r) { r.training_examples = 7; }), "advance to evaluating"},
      {"the manifest holds too few", with(P::kTraining, [](R& r) { r.manifest = true; r.training_examples = 7; }), "advance to evaluating"},
      {"killed while training, or before the delta's row", with(P::kTraining, [](R& r) { r.manifest = true; }), "train"},
      {"killed between the two adapters", with(P::kTraining, [](R& r) { r.manifest = r.delta = true; }), "publish cumulative"},
      {"both adapters are published", with(P::kTraining, [](R& r) { r.manifest = r.delta = r.cumulative = true; }), "advance to evaluating"},
      // evaluating
      {"nothing was trained: no manifest", with(P::kEvaluating, [](R& r) { r.manifest = r.delta = r.cumulative = false; r.training_examples = 7; }), "reject"},
      {"nothing was trained: a small manifest", with(P::kEvaluating, [](R& r) { r.delta = r.cumulative = false; r.training_examples = 7; }), "reject"},
      {"a damaged cumulative adapter was put aside", with(P::kEvaluating, [](R& r) { r.cumulative = false; }), "publish cumulative"},
      {"a damaged delta was put aside", with(P::kEvaluating, [](R& r) { r.delta = false; }), "train"},
      {"the candidate has no evaluation", at(P::kEvaluating), "plan evaluation candidate"},
      {"killed while evaluating", with(P::kEvaluating, [](R& r) { r.candidate = {.planned = true, .open_unit = UnitId{9}}; }), "generate evaluation candidate 9"},
      {"the candidate's is not scored", with(P::kEvaluating, [](R& r) { r.candidate = {.planned = true, .responses_unscored = 1}; }), "score candidate"},
      {"the candidate's is not judged", with(P::kEvaluating, [](R& r) { r.candidate = {.planned = true, .judgments_pending = 1}; }), "await evaluation candidate"},
      {"the candidate's is complete", with(P::kEvaluating, [](R& r) { r.candidate = planned(); }), "finish evaluation candidate"},
      {"killed before the promotion's commit", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{true, "better"}; }), "promote"},
      {"an alarm about the candidate's judgments", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{true, "better"}; r.alarm = "alarm: x"; }), "hold"},
      {"the anchors are missing", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{true, "better"}; r.anchors = {true, false, 0}; r.alarm = "alarm: x"; }), "plan anchors"},
      {"killed after the anchors were planned", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{true, "better"}; r.anchors = {true, true, 3}; }), "await judgments"},
      {"every anchor is judged", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{true, "better"}; r.anchors = {true, true, 0}; }), "promote"},
      {"an alarm about the anchors", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{true, "better"}; r.anchors = {true, true, 0}; r.alarm = "alarm: x"; }), "hold"},
      {"an alarm about a candidate that is not better", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{false, "worse"}; r.alarm = "alarm: x"; }), "reject"},
      {"not better", with(P::kEvaluating, [](R& r) { r.candidate = done(); r.verdict = PromotionVerdict{false, "worse"}; }), "reject"},
      {"both are done and cannot be compared", with(P::kEvaluating, [](R& r) { r.candidate = done(); }), "fail"},
      // the disk
      {"little room while generating", with(P::kGenerating, [](R& r) { r.open_unit = UnitId{3}; r.disk_low = true; }), "pause"},
      {"little room while training", with(P::kTraining, [](R& r) { r.disk_low = true; }), "pause"},
      {"paused for the disk, still little room", paused("disk: full", true), "idle"},
      {"paused for the disk, room again", paused("disk: full", false), "resume"},
      {"paused by an operator", paused("lunch", false), "idle"},
      {"paused by an alarm", paused("alarm: x", false), "idle"},
      // at rest
      {"completed", at(P::kCompleted), "idle"},
      {"killed after the promotion's commit", at(P::kCompleted), "idle"},
      {"failed", at(P::kFailed), "idle"},
      {"cancelled", at(P::kCancelled), "idle"},
  };
}
// clang-format on

RunSnapshot run_with(const std::function<void(RunSnapshot&)>& change) {
  RunSnapshot run;
  change(run);
  return run;
}

struct RunRow {
  std::string name;
  RunSnapshot run;
  std::string action;
};

// clang-format off
std::vector<RunRow> run_rows() {
  using R = RunSnapshot;
  const auto over = [](const std::function<void(R&)>& change) {
    return run_with([&](R& r) { r.stop_reason = "all rounds are done"; change(r); });
  };
  return {
      {"no round yet", R{}, "start round"},
      {"a round is at work", run_with([](R& r) { r.open_round = RoundId{1}; }), "idle"},
      {"its round failed", run_with([](R& r) { r.open_round = RoundId{1}; r.open_round_failed = true; }), "fail run"},
      {"over: the untrained model's report is missing", over([](R&) {}), "plan evaluation untrained"},
      {"over: the report of the untrained is generating", over([](R& r) { r.untrained = {.planned = true, .open_unit = UnitId{5}}; }), "generate evaluation untrained 5"},
      {"over: the kept model's report is missing", over([](R& r) { r.untrained = done(); }), "plan evaluation kept"},
      {"over: a judgment of the report failed", over([](R& r) { r.untrained = {.planned = true, .judgments_failed = 1}; }), "fail"},
      {"over: killed before the run's last move", over([](R& r) { r.untrained = r.kept = done(); }), "complete run"},
      {"paused", run_with([](R& r) { r.state = RunState::kPaused; }), "idle"},
      {"completed", run_with([](R& r) { r.state = RunState::kCompleted; }), "idle"},
      {"failed", run_with([](R& r) { r.state = RunState::kFailed; }), "idle"},
      {"cancelled", run_with([](R& r) { r.state = RunState::kCancelled; }), "idle"},
  };
}
// clang-format on

TEST(DecideTest, HasAnActionForEverySnapshotOfARound) {
  for (const RoundRow& row : round_rows()) EXPECT_EQ(describe(decide(row.round)), row.action) << row.name;
}

TEST(DecideTest, HasAnActionForEverySnapshotOfARun) {
  for (const RunRow& row : run_rows()) EXPECT_EQ(describe(decide_run(row.run)), row.action) << row.name;
}

TEST(DecideTest, TheTablesProduceEveryActionThereIs) {
  std::set<std::size_t> produced;
  for (const RoundRow& row : round_rows()) produced.insert(decide(row.round).index());
  for (const RunRow& row : run_rows()) produced.insert(decide_run(row.run).index());
  EXPECT_EQ(produced.size(), std::variant_size_v<Action>);
}

TEST(DecideTest, TheSameFactsGiveTheSameActionAgain) {
  for (const RoundRow& row : round_rows())
    EXPECT_EQ(describe(decide(row.round)), describe(decide(row.round))) << row.name;
}

TEST(DecideTest, ReadsTheReportSetOnlyWhenTheRunIsOver) {
  RunSnapshot run;
  run.untrained = run.kept = {.planned = true, .judgments_failed = 9};
  EXPECT_EQ(describe(decide_run(run)), "start round");
}

TEST(DecideTest, LetsAnEvaluationGoOnWithoutAFewJudgments) {
  const auto next = [](std::int64_t failed, double share) {
    return describe(decide(with(Phase::kCreated, [&](RoundSnapshot& r) {
      r.max_missing_share = share;
      r.parent = {.planned = true, .judgments_done = 100 - failed, .judgments_failed = failed};
    })));
  };
  EXPECT_EQ(next(2, 0.02), "finish evaluation parent");
  EXPECT_EQ(next(3, 0.02), "fail");
  EXPECT_EQ(next(1, 0), "fail");
}

TEST(DecideTest, SaysWhyTooManyJudgmentsFailed) {
  const Action action = decide(with(Phase::kJudging, [](RoundSnapshot& r) {
    r.judgments_failed = 20;
    r.judgment_failure = "unusable: empty reply";
  }));
  const std::string reason = std::get<action::Fail>(action).reason;
  EXPECT_THAT(reason, HasSubstr("20 of 20 judgments failed"));
  EXPECT_THAT(reason, HasSubstr("empty reply"));
  EXPECT_THAT(reason, HasSubstr("retry"));
}

TEST(DecideTest, SaysWhyNothingWasTrained) {
  const Action action = decide(with(Phase::kTraining, [](RoundSnapshot& r) { r.training_examples = 3; }));
  EXPECT_THAT(std::get<action::Advance>(action).why, HasSubstr("3 examples"));
  EXPECT_THAT(std::get<action::Advance>(action).why, HasSubstr("at least 8"));
}

TEST(DecideTest, CountsFailuresUnderTheWorkThatFailed) {
  EXPECT_EQ(work_name(action::Generate{UnitId{12}}), "generate unit 12");
  EXPECT_EQ(work_name(action::Train{}), "train");
  EXPECT_NE(work_name(action::GenerateEvaluation{Subject::kParent, UnitId{1}}),
            work_name(action::GenerateEvaluation{Subject::kParent, UnitId{2}}));
  EXPECT_NE(work_name(action::ScoreEvaluation{Subject::kParent}),
            work_name(action::ScoreEvaluation{Subject::kCandidate}));
}

TEST(AfterFailureTest, RedoesWhatAnEngineLostAndThenGivesUp) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kInternal, ErrorCode::kResource, ErrorCode::kBusy}) {
    EXPECT_EQ(after_failure(code, false, 1), AfterFailure::kRedo);
    EXPECT_EQ(after_failure(code, false, kMaxFailures - 1), AfterFailure::kRedo);
    EXPECT_EQ(after_failure(code, false, kMaxFailures), AfterFailure::kFailRound);
  }
}

TEST(AfterFailureTest, DoesNotRepeatWhatRepeatingCannotCure) {
  for (const ErrorCode code : {ErrorCode::kUsage, ErrorCode::kBadInput, ErrorCode::kNotFound}) {
    EXPECT_EQ(after_failure(code, false, 1), AfterFailure::kFailRound);
  }
}

TEST(AfterFailureTest, WaitsForRoomOnTheDisk) {
  EXPECT_EQ(after_failure(ErrorCode::kResource, true, 3), AfterFailure::kPauseDisk);
}

TEST(AfterFailureTest, StopsTheDaemonWhenStorageFailed) {
  EXPECT_EQ(after_failure(ErrorCode::kIo, false, 1), AfterFailure::kStopDaemon);
}

TEST(AfterFailureTest, LooksAgainWhenSomeoneElseMovedTheRoundOrItWasStopped) {
  EXPECT_EQ(after_failure(ErrorCode::kConflict, false, 3), AfterFailure::kLookAgain);
  EXPECT_EQ(after_failure(ErrorCode::kCancelled, false, 3), AfterFailure::kLookAgain);
}

}  // namespace
}  // namespace cutd
