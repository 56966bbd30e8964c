// Did the model get better, or did its judge become another one? A share of satisfactory responses that rises looks the
// same either way (reliability P36), so what is compared here is what a judge says of the same model, of the same
// responses, or beside the same second judge. Pure functions on plain structs, equal results on every machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/interval.h"
#include "evaluation/judging_health.h"

namespace cutd {

// A round's responses and its parent's evaluation come from one model: an alarm ("positive_shift") when their shares of
// satisfactory responses surely differ by more than `limits.positive_shift`. `parent`, `round`: of at least
// `limits.min_judgments` each, else they say nothing.
std::vector<JudgingAlarm> shift_alarms(const Share& parent, const Share& round, const JudgingLimits& limits);

// An alarm ("agreement_drop") for each pair of annotators whose kappa fell by more than `limits.kappa_drop` and by more
// than chance explains (95 %). Pairs are matched by their names.
std::vector<JudgingAlarm> agreement_drop_alarms(const std::vector<AnnotatorAgreement>& before,
                                                const std::vector<AnnotatorAgreement>& now,
                                                const JudgingLimits& limits);

// Anchors: responses that the judge has judged before and is asked about again. `perfect` of an answer is what it said
// then, `judged` what it says now.
struct AnchorHealth {
  std::int64_t asked = 0;
  std::int64_t judged = 0;
  std::int64_t satisfactory = 0;  // then; judged ones, as the three below
  std::int64_t criticised = 0;
  std::int64_t now_criticised = 0;    // of the satisfactory
  std::int64_t now_satisfactory = 0;  // of the criticised
  double agreement = 1;               // mean, over both kinds, of the share judged as before; 1 when nothing is judged
};
AnchorHealth measure_anchors(const std::vector<CanaryAnswer>& anchors);

// "anchors": less agreement than `limits.anchor_agreement`, or fewer than half of them judged at all.
std::vector<JudgingAlarm> anchor_alarms(const AnchorHealth& anchors, const JudgingLimits& limits);

// Which of the judged responses are asked about again: `count` of them, half of each kind as far as there are, from the
// seed alone. Ascending indexes into `perfect`.
std::vector<std::size_t> choose_anchors(const std::vector<bool>& perfect, std::size_t count, std::int64_t seed);

}  // namespace cutd
