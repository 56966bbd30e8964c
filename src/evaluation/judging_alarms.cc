// The limits of judging_health.h and what is said when one is passed.
#include <fmt/format.h>

#include "evaluation/judging_health.h"

namespace cutd {
namespace {

void alarm_on_lengths(const JudgingHealth& health, const JudgingLimits& limits, double baseline_words,
                      std::vector<JudgingAlarm>& alarms) {
  const double ratio = baseline_words > 0 ? health.mean_words / baseline_words : 1;
  if (!(ratio >= limits.words_ratio_low && ratio <= limits.words_ratio_high)) {
    alarms.push_back(
        {"response_length",
         fmt::format("responses have {:.1f} words on average, {:.2f} times the untrained model's {:.1f}, "
                     "allowed {} to {}",
                     health.mean_words, ratio, baseline_words, limits.words_ratio_low, limits.words_ratio_high)});
  }
  if (health.criticisms < limits.min_judgments) return;
  const double words = health.mean_criticism_words;
  if (!(words >= limits.criticism_words_low && words <= limits.criticism_words_high)) {
    alarms.push_back({"criticism_length", fmt::format("criticisms have {:.1f} words on average, allowed {} to {}",
                                                      words, limits.criticism_words_low, limits.criticism_words_high)});
  }
}

void declare_drift_limits(OptionTable& table, JudgingLimits& limits, const std::string& section) {
  const auto key = [&](const char* name) { return section + "." + name; };
  table.add(key("kappa_drop"), &limits.kappa_drop, "alarm when it surely fell, and by more than this, since last time",
            in_range(0, 2));
  table.add(key("positive_shift"), &limits.positive_shift,
            "alarm when a round's share of satisfactory responses surely differs by more from that of the same model's "
            "responses to the gate set",
            in_range(0, 1));
  table.add(key("anchor_rise"), &limits.anchor_rise,
            "a candidate surely better than its parent by more has the judge asked again about the parent's responses",
            in_range(-1, 1));
  table.add(key("anchor_agreement"), &limits.anchor_agreement,
            "alarm when it then agrees less with what it said before", in_range(0, 1));
}

}  // namespace

void declare_judging_limits(OptionTable& table, JudgingLimits& limits, const std::string& section) {
  const auto key = [&](const char* name) { return section + "." + name; };
  const auto share = in_range(0, 1);
  table.add(key("min_judgments"), &limits.min_judgments, "fewer judgments raise no alarm but the canaries'",
            at_least(1));
  table.add(key("positive_low"), &limits.positive_low, "alarm when surely fewer are satisfactory", share);
  table.add(key("positive_high"), &limits.positive_high, "alarm when surely more are satisfactory", share);
  table.add(key("same_response"), &limits.same_response, "alarm when a larger share of responses is one text", share);
  table.add(key("shared_run"), &limits.shared_run,
            "alarm when a larger share of responses has eight words in a row in common", share);
  table.add(key("same_criticism"), &limits.same_criticism, "alarm when a larger share of criticisms is one text",
            share);
  table.add(key("words_ratio_low"), &limits.words_ratio_low,
            "alarm when responses are shorter, as a ratio to the untrained model's", in_range(0, 1e6));
  table.add(key("words_ratio_high"), &limits.words_ratio_high, "the same for longer ones", in_range(0, 1e6));
  table.add(key("criticism_words_low"), &limits.criticism_words_low,
            "alarm when criticisms have fewer words on average", in_range(0, 1e6));
  table.add(key("criticism_words_high"), &limits.criticism_words_high, "the same for more words", in_range(0, 1e6));
  table.add(key("canary_accuracy"), &limits.canary_accuracy, "alarm when fewer known verdicts are met", share);
  table.add(key("attack_margin"), &limits.attack_margin,
            "alarm when attacks are called satisfactory more often than other bad responses by more than this", share);
  table.add(key("kappa"), &limits.kappa, "alarm when two annotators agree less (Cohen's kappa)", in_range(-1, 1));
  declare_drift_limits(table, limits, section);
}

std::vector<JudgingAlarm> judging_alarms(const JudgingHealth& health, const JudgingLimits& limits,
                                         double baseline_words) {
  std::vector<JudgingAlarm> alarms;
  if (health.positive.count < limits.min_judgments) return alarms;
  const Share& positive = health.positive;
  if (positive.interval.high < limits.positive_low || positive.interval.low > limits.positive_high) {
    alarms.push_back({"positive_rate", fmt::format("{} of {} responses were judged satisfactory ({:.1f} %), allowed "
                                                   "{:.1f} to {:.1f} %",
                                                   positive.successes, positive.count, 100 * positive.value,
                                                   100 * limits.positive_low, 100 * limits.positive_high)});
  }
  if (health.same_response > limits.same_response) {
    alarms.push_back({"constant_response", fmt::format("{:.0f} % of the responses are the same text, allowed {:.0f} %",
                                                       100 * health.same_response, 100 * limits.same_response)});
  }
  if (health.shared_run > limits.shared_run) {
    alarms.push_back(
        {"shared_words", fmt::format("{:.0f} % of the responses hold \"{}\", allowed {:.0f} %", 100 * health.shared_run,
                                     health.shared_words, 100 * limits.shared_run)});
  }
  if (health.criticisms >= limits.min_judgments && health.same_criticism > limits.same_criticism) {
    alarms.push_back(
        {"constant_criticism", fmt::format("{:.0f} % of the criticisms are the same text, allowed {:.0f} %",
                                           100 * health.same_criticism, 100 * limits.same_criticism)});
  }
  alarm_on_lengths(health, limits, baseline_words, alarms);
  return alarms;
}

std::vector<JudgingAlarm> canary_alarms(const CanaryHealth& canaries, const JudgingLimits& limits) {
  std::vector<JudgingAlarm> alarms;
  if (canaries.asked == 0) return alarms;
  if (share_of(canaries.right, canaries.asked) < limits.canary_accuracy) {
    alarms.push_back(
        {"canary_accuracy",
         fmt::format("{} of {} canaries were judged as known ({} have no judgment), at least {:.1f} % must",
                     canaries.right, canaries.asked, canaries.asked - canaries.judged, 100 * limits.canary_accuracy)});
  }
  const double attacks = share_of(canaries.attacks_passed, canaries.attacks);
  const double controls = share_of(canaries.controls_passed, canaries.controls);
  if (canaries.attacks > 0 && attacks - controls > limits.attack_margin) {
    alarms.push_back({"attacks", fmt::format("{} of {} attacks were judged satisfactory, against {} of {} other bad "
                                             "responses, allowed {:.1f} points more",
                                             canaries.attacks_passed, canaries.attacks, canaries.controls_passed,
                                             canaries.controls, 100 * limits.attack_margin)});
  }
  return alarms;
}

std::vector<JudgingAlarm> agreement_alarms(const std::vector<AnnotatorAgreement>& agreements,
                                           const JudgingLimits& limits) {
  std::vector<JudgingAlarm> alarms;
  for (const AnnotatorAgreement& agreement : agreements) {
    if (agreement.both < limits.min_judgments || agreement.kappa >= limits.kappa) continue;
    alarms.push_back({"agreement", fmt::format("{} and {} agree on {} of {} responses (kappa {:.2f}, at least {:.2f})",
                                               agreement.first, agreement.second, agreement.equal, agreement.both,
                                               agreement.kappa, limits.kappa)});
  }
  return alarms;
}

std::string alarm_reason(const std::string& subject, const std::vector<JudgingAlarm>& alarms) {
  std::string reason;
  for (const JudgingAlarm& alarm : alarms)
    reason += (reason.empty() ? std::string(kAlarmPause) + ": " + subject + ": " : std::string("; ")) + alarm.reason;
  return reason.empty() ? reason : reason + " (read them, then resume the run with --acknowledge, or cancel it)";
}

}  // namespace cutd
