// The alarms of a round (evaluation/judging_health.h) read from the store, and which of them a person has acknowledged.
#pragma once

#include <string>
#include <vector>

#include "evaluation/judging_health.h"
#include "round/frozen_run.h"
#include "store/store.h"

namespace cutd {

// What a round's judgments are compared with, on the gate set: lengths with the untrained model's, verdicts with the
// parent's.
struct JudgingReferences {
  EvaluationKey untrained;
  EvaluationKey parent;
};

// Of a round's judgments and canaries, before they train. Agreement of annotators is compared with the last earlier
// round of the run in which they judged together.
std::vector<JudgingAlarm> round_alarms(Reader& reader, const FrozenRun& frozen, const Round& round,
                                       const JudgingReferences& references);

// Of the judgments that a candidate's promotion rests on, and of the round's anchors (anchors.h).
std::vector<JudgingAlarm> candidate_alarms(Reader& reader, const FrozenRun& frozen, const Round& round,
                                           const EvaluationKey& candidate, const JudgingReferences& references);

// alarm_reason(), or "" when the round was paused for exactly that reason and then resumed: it was acknowledged.
// Other numbers are another reason.
std::string open_alarm(Reader& reader, RoundId round, const std::string& subject,
                       const std::vector<JudgingAlarm>& alarms);

// Whether a round is paused by an alarm: only an acknowledgement resumes it.
bool is_alarm_pause(const Round& round);

}  // namespace cutd
