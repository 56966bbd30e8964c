#include "evaluation/judging_health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "core/blanks.h"

namespace cutd {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

// Blanks do not make a text another one.
std::string joined(const std::vector<std::string_view>& words, std::size_t first, std::size_t count) {
  std::string text;
  for (std::size_t i = first; i < first + count; ++i) text.append(i == first ? "" : " ").append(words[i]);
  return text;
}

struct Most {
  std::string text;
  std::int64_t count = 0;
};

// Of equal counts the first text in order, so that the result does not depend on hashing.
Most most_frequent(const std::unordered_map<std::string, std::int64_t>& counts) {
  Most most;
  for (const auto& [text, count] : counts) {
    if (count > most.count || (count == most.count && text < most.text)) most = {text, count};
  }
  return most;
}

}  // namespace

JudgingHealth measure_judging(const std::vector<JudgedResponse>& judged) {
  JudgingHealth health;
  std::unordered_map<std::string, std::int64_t> responses, criticisms, runs;
  std::int64_t positives = 0;
  double words_total = 0, criticism_words = 0;
  for (const JudgedResponse& one : judged) {
    const std::vector<std::string_view> words = words_of(one.response);
    words_total += static_cast<double>(words.size());
    ++responses[joined(words, 0, words.size())];
    std::set<std::string> own;  // a run counts once per response
    for (std::size_t i = 0; i + kSharedWords <= words.size(); ++i) own.insert(joined(words, i, kSharedWords));
    for (const std::string& run : own) ++runs[run];
    positives += one.perfect ? 1 : 0;
    if (one.perfect) continue;
    const std::vector<std::string_view> criticism = words_of(one.judgment);
    criticism_words += static_cast<double>(criticism.size());
    ++criticisms[joined(criticism, 0, criticism.size())];
    ++health.criticisms;
  }
  const auto count = static_cast<std::int64_t>(judged.size());
  health.positive = wilson_share(positives, count);
  health.same_response = share_of(most_frequent(responses).count, count);
  const Most run = most_frequent(runs);
  health.shared_run = share_of(run.count, count);
  health.shared_words = run.text;
  health.same_criticism = share_of(most_frequent(criticisms).count, health.criticisms);
  health.mean_words = count == 0 ? 0 : words_total / static_cast<double>(count);
  health.mean_criticism_words = health.criticisms == 0 ? 0 : criticism_words / static_cast<double>(health.criticisms);
  return health;
}

CanaryHealth measure_canaries(const std::vector<CanaryAnswer>& canaries) {
  CanaryHealth health;
  for (const CanaryAnswer& canary : canaries) {
    ++health.asked;
    if (!canary.judged) continue;
    ++health.judged;
    if (*canary.judged == canary.perfect) ++health.right;
    if (canary.perfect) continue;
    const bool passed = *canary.judged;
    (canary.attack ? health.attacks : health.controls) += 1;
    (canary.attack ? health.attacks_passed : health.controls_passed) += passed ? 1 : 0;
  }
  return health;
}

AnnotatorAgreement measure_agreement(std::string first, std::string second, const std::vector<VerdictPair>& pairs) {
  AnnotatorAgreement agreement{std::move(first), std::move(second), static_cast<std::int64_t>(pairs.size()), 0, 1, 1};
  std::int64_t first_yes = 0, second_yes = 0;
  for (const VerdictPair& pair : pairs) {
    agreement.equal += pair.first == pair.second ? 1 : 0;
    first_yes += pair.first ? 1 : 0;
    second_yes += pair.second ? 1 : 0;
  }
  if (agreement.both == 0) return agreement;
  const double observed = share_of(agreement.equal, agreement.both);
  const double p = share_of(first_yes, agreement.both), q = share_of(second_yes, agreement.both);
  const double expected = p * q + (1 - p) * (1 - q);
  if (expected >= 1) return agreement;
  agreement.kappa = (observed - expected) / (1 - expected);
  agreement.error = std::sqrt(observed * (1 - observed) / static_cast<double>(agreement.both)) / (1 - expected);
  return agreement;
}

}  // namespace cutd
