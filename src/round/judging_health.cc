#include "round/judging_health.h"

#include <map>

#include "round/canaries.h"
#include "round/evaluation_work.h"
#include "round/quorum.h"
#include "store/evaluations.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/units.h"

namespace cutd {
namespace {

std::vector<JudgedResponse> judged_responses(Reader& reader, UnitOwner owner, AnnotatorId annotator) {
  std::map<ResponseId, Judgment> judgments;
  for (Judgment& judgment : list_judgments(reader, owner, annotator)) {
    if (judgment.state == JudgmentState::kDone && judgment.validated)
      judgments.emplace(judgment.response, std::move(judgment));
  }
  std::vector<JudgedResponse> judged;
  for (Response& response : list_responses(reader, owner)) {
    const auto found = judgments.find(response.id);
    if (found == judgments.end()) continue;
    const bool perfect = found->second.label == JudgmentLabel::kPositive;
    judged.push_back({std::move(response.text), std::move(found->second.text), perfect});
  }
  return judged;
}

double baseline_words(Reader& reader, const EvaluationKey& untrained) {
  const auto evaluation = find_evaluation(reader, untrained);
  if (!evaluation || evaluation->state != EvaluationState::kDone) return 0;
  return evaluation_summary_of(evaluation->summary).guards.mean_words;
}

std::vector<JudgingAlarm> alarms_of(Reader& reader, const FrozenRun& frozen, UnitOwner owner,
                                    const EvaluationKey& untrained) {
  return judging_alarms(measure_judging(judged_responses(reader, owner, frozen.annotator)), frozen.config.alarms.limits,
                        baseline_words(reader, untrained));
}

}  // namespace

std::vector<JudgingAlarm> round_alarms(Reader& reader, const FrozenRun& frozen, const Round& round,
                                       const EvaluationKey& untrained) {
  std::vector<JudgingAlarm> alarms = alarms_of(reader, frozen, round.id, untrained);
  for (JudgingAlarm& alarm :
       agreement_alarms(read_agreements(reader, round.id, frozen.annotator), frozen.config.alarms.limits))
    alarms.push_back(std::move(alarm));
  const CanaryHealth canaries = measure_canaries(read_canary_answers(reader, frozen, round));
  for (JudgingAlarm& alarm : canary_alarms(canaries, frozen.config.alarms.limits)) alarms.push_back(std::move(alarm));
  return alarms;
}

std::vector<JudgingAlarm> candidate_alarms(Reader& reader, const FrozenRun& frozen, const EvaluationKey& candidate,
                                           const EvaluationKey& untrained) {
  const auto evaluation = find_evaluation(reader, candidate);
  if (!evaluation) return {};
  return alarms_of(reader, frozen, evaluation->id, untrained);
}

std::string open_alarm(Reader& reader, RoundId round, const std::string& subject,
                       const std::vector<JudgingAlarm>& alarms) {
  const std::string reason = alarm_reason(subject, alarms);
  if (reason.empty()) return reason;
  bool paused_for_it = false;
  for (const RoundEvent& event : list_round_events(reader, round)) {
    if (event.to == Phase::kPaused) paused_for_it = event.why == reason;
    else if (event.from == Phase::kPaused && is_active(event.to) && paused_for_it) return "";
  }
  return reason;
}

bool is_alarm_pause(const Round& round) {
  return round.phase == Phase::kPaused && round.reason.starts_with(std::string(kAlarmPause) + ":");
}

}  // namespace cutd
