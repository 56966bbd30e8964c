#include "evaluation/judging_drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cutd {
namespace {

const AnnotatorAgreement* same_pair(const std::vector<AnnotatorAgreement>& agreements, const AnnotatorAgreement& pair) {
  const auto found = std::find_if(agreements.begin(), agreements.end(), [&](const AnnotatorAgreement& one) {
    return one.first == pair.first && one.second == pair.second;
  });
  return found == agreements.end() ? nullptr : &*found;
}

// The first `count` of `indexes` in the order that the seed gives them.
std::vector<std::size_t> draw_of(const std::vector<std::size_t>& indexes, std::size_t count, std::int64_t seed) {
  std::vector<std::size_t> drawn;
  for (const CanaryPlace& place : canary_places(0, indexes.size(), count, seed)) drawn.push_back(indexes[place.canary]);
  return drawn;
}

}  // namespace

std::vector<JudgingAlarm> shift_alarms(const Share& parent, const Share& round, const JudgingLimits& limits) {
  if (parent.count < limits.min_judgments || round.count < limits.min_judgments) return {};
  const ShareDifference difference = share_difference(parent, round);
  const bool shifted =
      difference.interval.low > limits.positive_shift || difference.interval.high < -limits.positive_shift;
  if (!shifted) return {};
  return {{"positive_shift",
           fmt::format("{} of {} responses were judged satisfactory ({:.1f} %), of the same model's responses to the "
                       "gate set {} of {} ({:.1f} %): the judge has changed, or data.train is unlike data.gate "
                       "(alarms.positive_shift {:.2f})",
                       round.successes, round.count, 100 * round.value, parent.successes, parent.count,
                       100 * parent.value, limits.positive_shift)}};
}

std::vector<JudgingAlarm> agreement_drop_alarms(const std::vector<AnnotatorAgreement>& before,
                                                const std::vector<AnnotatorAgreement>& now,
                                                const JudgingLimits& limits) {
  std::vector<JudgingAlarm> alarms;
  for (const AnnotatorAgreement& one : now) {
    const AnnotatorAgreement* const earlier = same_pair(before, one);
    if (earlier == nullptr || std::min(earlier->both, one.both) < limits.min_judgments) continue;
    const double drop = earlier->kappa - one.kappa;
    if (drop <= limits.kappa_drop || drop <= kNormalQuantile * std::hypot(earlier->error, one.error)) continue;
    alarms.push_back({"agreement_drop",
                      fmt::format("{} and {} agree less than before: kappa {:.2f}, it was {:.2f}, allowed {:.2f} less; "
                                  "one of them has changed",
                                  one.first, one.second, one.kappa, earlier->kappa, limits.kappa_drop)});
  }
  return alarms;
}

AnchorHealth measure_anchors(const std::vector<CanaryAnswer>& anchors) {
  AnchorHealth health;
  for (const CanaryAnswer& anchor : anchors) {
    ++health.asked;
    if (!anchor.judged) continue;
    ++health.judged;
    const bool changed = *anchor.judged != anchor.perfect;
    (anchor.perfect ? health.satisfactory : health.criticised) += 1;
    (anchor.perfect ? health.now_criticised : health.now_satisfactory) += changed ? 1 : 0;
  }
  double sum = 0;
  int kinds = 0;
  for (const auto& [changed, all] :
       {std::pair{health.now_criticised, health.satisfactory}, std::pair{health.now_satisfactory, health.criticised}}) {
    if (all == 0) continue;
    sum += 1 - share_of(changed, all);
    ++kinds;
  }
  if (kinds > 0) health.agreement = sum / kinds;
  return health;
}

std::vector<JudgingAlarm> anchor_alarms(const AnchorHealth& anchors, const JudgingLimits& limits) {
  std::vector<JudgingAlarm> alarms;
  if (anchors.asked == 0) return alarms;
  if (2 * anchors.judged < anchors.asked) {
    alarms.push_back({"anchors", fmt::format("the judge was asked again about {} responses of the parent and judged "
                                             "only {} of them, so that the rise stands unconfirmed",
                                             anchors.asked, anchors.judged)});
  } else if (anchors.agreement < limits.anchor_agreement) {
    alarms.push_back(
        {"anchors",
         fmt::format("the judge, not the model, has changed: asked again about the parent's responses it now calls {} "
                     "of {} satisfactory that it had criticised, and criticises {} of {} that were satisfactory "
                     "(agreement with itself {:.2f}, at least {:.2f}); check its model, version and prompt",
                     anchors.now_satisfactory, anchors.criticised, anchors.now_criticised, anchors.satisfactory,
                     anchors.agreement, limits.anchor_agreement)});
  }
  return alarms;
}

std::vector<std::size_t> choose_anchors(const std::vector<bool>& perfect, std::size_t count, std::int64_t seed) {
  std::vector<std::size_t> satisfactory, criticised;
  for (std::size_t i = 0; i < perfect.size(); ++i) (perfect[i] ? satisfactory : criticised).push_back(i);
  const std::size_t half = count / 2;
  const std::size_t of_satisfactory = std::min(satisfactory.size(), count - std::min(criticised.size(), count - half));
  std::vector<std::size_t> chosen = draw_of(satisfactory, of_satisfactory, seed);
  const std::vector<std::size_t> rest = draw_of(criticised, count - of_satisfactory, seed + 1);
  chosen.insert(chosen.end(), rest.begin(), rest.end());
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace cutd
