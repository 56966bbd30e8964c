#include "round/judging_health.h"

#include <map>
#include <optional>

#include "evaluation/judging_drift.h"
#include "round/anchors.h"
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

std::optional<EvaluationSummary> summary_of(Reader& reader, const EvaluationKey& key) {
  const auto evaluation = find_evaluation(reader, key);
  if (!evaluation || evaluation->state != EvaluationState::kDone) return std::nullopt;
  return evaluation_summary_of(evaluation->summary);
}

double baseline_words(Reader& reader, const EvaluationKey& untrained) {
  const std::optional<EvaluationSummary> summary = summary_of(reader, untrained);
  return summary ? summary->guards.mean_words : 0;
}

void append(std::vector<JudgingAlarm>& alarms, std::vector<JudgingAlarm> more) {
  for (JudgingAlarm& alarm : more) alarms.push_back(std::move(alarm));
}

std::vector<AnnotatorAgreement> agreements_before(Reader& reader, const FrozenRun& frozen, const Round& round) {
  std::vector<AnnotatorAgreement> last;
  for (const Round& earlier : list_rounds(reader, round.run)) {
    if (earlier.number >= round.number) break;
    auto agreements = read_agreements(reader, earlier.id, frozen.annotator);
    if (!agreements.empty()) last = std::move(agreements);
  }
  return last;
}

}  // namespace

std::vector<JudgingAlarm> round_alarms(Reader& reader, const FrozenRun& frozen, const Round& round,
                                       const JudgingReferences& references) {
  const JudgingLimits& limits = frozen.config.alarms.limits;
  const JudgingHealth health = measure_judging(judged_responses(reader, round.id, frozen.annotator));
  std::vector<JudgingAlarm> alarms = judging_alarms(health, limits, baseline_words(reader, references.untrained));
  if (const auto parent = summary_of(reader, references.parent))
    append(alarms, shift_alarms(parent->share, health.positive, limits));
  const std::vector<AnnotatorAgreement> agreements = read_agreements(reader, round.id, frozen.annotator);
  append(alarms, agreement_alarms(agreements, limits));
  append(alarms, agreement_drop_alarms(agreements_before(reader, frozen, round), agreements, limits));
  append(alarms, canary_alarms(measure_canaries(read_canary_answers(reader, frozen, round)), limits));
  return alarms;
}

std::vector<JudgingAlarm> candidate_alarms(Reader& reader, const FrozenRun& frozen, const Round& round,
                                           const EvaluationKey& candidate, const JudgingReferences& references) {
  const auto evaluation = find_evaluation(reader, candidate);
  const auto parent = find_evaluation(reader, references.parent);
  if (!evaluation || !parent) return {};
  const JudgingLimits& limits = frozen.config.alarms.limits;
  const JudgingHealth health = measure_judging(judged_responses(reader, evaluation->id, frozen.annotator));
  std::vector<JudgingAlarm> alarms = judging_alarms(health, limits, baseline_words(reader, references.untrained));
  const std::vector<AnnotatorAgreement> agreements = read_agreements(reader, evaluation->id, frozen.annotator);
  append(alarms, agreement_alarms(agreements, limits));
  append(alarms, agreement_drop_alarms(read_agreements(reader, parent->id, frozen.annotator), agreements, limits));
  append(alarms, anchor_alarms(measure_anchors(read_anchor_answers(reader, frozen, round, references.parent)), limits));
  return alarms;
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
