#include "judge_client/unusable_streak.h"

#include <fmt/format.h>

#include <algorithm>

namespace cutd {
namespace {

constexpr std::int64_t kMostInARow = 20;

}  // namespace

void UnusableStreak::add(const JudgeOutcome& outcome) {
  const auto* failure = std::get_if<JudgeFailure>(&outcome);
  if (failure == nullptr) causes_.clear();
  else if (failure->kind == JudgeFailureKind::kUnusable) ++causes_[failure->reason];
}

std::int64_t UnusableStreak::length() const {
  std::int64_t count = 0;
  for (const auto& [cause, times] : causes_) count += times;
  return count;
}

std::optional<std::string> UnusableStreak::reason() const {
  const std::int64_t count = length();
  if (count < kMostInARow) return std::nullopt;
  const auto most = std::max_element(causes_.begin(), causes_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return fmt::format(
      "{} answers in a row were paid and are no judgments, {} of them because: {}; correct the annotator (cutd judge "
      "test shows its answers), then resume",
      count, most->second, most->first);
}

Json UnusableStreak::save() const {
  Json saved = Json::object();
  if (length() >= kMostInARow) return saved;
  for (const auto& [cause, times] : causes_) saved[cause] = times;
  return saved;
}

void UnusableStreak::restore(const Json& saved) {
  causes_.clear();
  for (const auto& [cause, times] : saved.items()) {
    if (times.is_number_integer()) causes_[cause] = times.get<std::int64_t>();
  }
}

}  // namespace cutd
