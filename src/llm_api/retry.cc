#include "llm_api/retry.h"

#include <algorithm>
#include <cmath>

namespace cutd {
namespace {

// value x 2^doublings, at most cap; without overflow.
std::int64_t doubled(std::int64_t value, int doublings, std::int64_t cap) {
  return static_cast<std::int64_t>(
      std::min(std::ldexp(static_cast<double>(value), std::clamp(doublings, 0, 62)), static_cast<double>(cap)));
}

}  // namespace

std::int64_t jittered_delay_ms(const RetryPolicy& policy, int failures, double uniform) {
  return static_cast<std::int64_t>(uniform *
                                   static_cast<double>(doubled(policy.first_ms, failures - 1, policy.cap_ms)));
}

RetryDecision decide_retry(const RetryPolicy& policy, const ApiFailure& failure, int sends, int parks, bool budget,
                           double uniform) {
  switch (failure.what) {
    case FailureClass::kSpendLimit: return {RetryAction::kPause, 0};
    case FailureClass::kUnknown: return {RetryAction::kAskPolicy, 0};
    case FailureClass::kPermanent:
    case FailureClass::kUnusable: return {RetryAction::kGiveUp, 0};
    case FailureClass::kRetryable: break;
  }
  const std::int64_t least = failure.retry_after_ms.value_or(0);
  if (least > policy.longest_wait_ms) return {RetryAction::kPause, least};
  if (sends < policy.sends && failure.retry_soon && budget && least <= policy.cap_ms) {
    return {RetryAction::kSendAgain, std::max(least, jittered_delay_ms(policy, sends, uniform))};
  }
  if (parks >= policy.parks) return {RetryAction::kGiveUp, 0};
  return {RetryAction::kPark, std::max(least, doubled(policy.park_ms, parks, policy.park_cap_ms))};
}

}  // namespace cutd
