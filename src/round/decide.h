// The state machine of a round and of a run, as pure functions from facts to the next action. The runner
// performs the action, commits it in one transaction and asks again, so a crash loses at most one unit and
// every row of the crash table (docs/architecture.md) is just a snapshot that decide() has an answer for.
#pragma once

#include <string>
#include <variant>

#include "core/error.h"
#include "round/snapshot.h"

namespace cutd {

// Which evaluation of a round or run an action is about.
// kBaseline and kUntrained are both the base: on the gate set (what the guards compare with) and on the report set.
enum class Subject { kBaseline, kParent, kCandidate, kUntrained, kKept };

namespace action {

struct Idle {};  // nothing to do until something else changes
struct PlanEvaluation {
  Subject subject;
};  // make its units
struct GenerateEvaluation {
  Subject subject;
  UnitId unit;
};
struct AwaitEvaluationJudgments {
  Subject subject;
};
struct ScoreEvaluation {
  Subject subject;
};  // responses under the original model
struct FinishEvaluation {
  Subject subject;
};
struct PlanRound {};     // draw instructions, make units; then phase generating
struct PlanCanaries {};  // responses with known verdicts for the judge
struct PlanAnchors {};   // responses of the parent that the judge is asked about again
struct Generate {
  UnitId unit;
};
struct AwaitJudgments {};
struct Advance {
  Phase from;
  Phase to;
  std::string why;
};
struct FreezeManifest {};
struct Train {};  // ends with the delta adapter published
struct PublishCumulative {};
struct Promote {
  std::string why;
};
struct Reject {
  std::string why;
};
struct Pause {
  std::string reason;
};
struct Hold {
  std::string reason;
};  // pause run and round until a person has acknowledged the alarm
struct Resume {
  std::string why;
};
struct Fail {
  std::string reason;
};
struct StartRound {};
struct CompleteRun {
  std::string why;
};
struct FailRun {
  std::string reason;
};

}  // namespace action

using Action =
    std::variant<action::Idle, action::PlanEvaluation, action::GenerateEvaluation, action::AwaitEvaluationJudgments,
                 action::ScoreEvaluation, action::FinishEvaluation, action::PlanRound, action::PlanCanaries,
                 action::PlanAnchors, action::Generate, action::AwaitJudgments, action::Advance, action::FreezeManifest,
                 action::Train, action::PublishCumulative, action::Promote, action::Reject, action::Pause, action::Hold,
                 action::Resume, action::Fail, action::StartRound, action::CompleteRun, action::FailRun>;

// The next action of a round.
Action decide(const RoundSnapshot& round);

// The next action of a run when its open round, if any, has none: rounds first, then the report set, scored
// once for the untrained and once for the kept model, then the end.
Action decide_run(const RunSnapshot& run);

// The unit of work an action stands for, under which its failures are counted ("generate unit 12", "train").
std::string work_name(const Action& action);

// What follows when a unit of work threw: `failures` counts this one.
enum class AfterFailure {
  kLookAgain,   // someone else moved it, or it was stopped: no failure of the work
  kRedo,        // the engine died, hung or failed: once more
  kFailRound,   // three times, or a failure that repeating cannot cure
  kPauseDisk,   // the disk is full: paused until there is room
  kStopDaemon,  // storage failed: nothing more may be written by this process
};
constexpr std::int64_t kMaxFailures = 3;
AfterFailure after_failure(ErrorCode code, bool disk_low, std::int64_t failures);

}  // namespace cutd
