// P17: delays within the formula, Retry-After as a minimum, and what is never sent again.
#include "llm_api/retry.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

ApiFailure failure_of(FailureClass what, std::optional<std::int64_t> retry_after = std::nullopt) {
  ApiFailure failure;
  failure.what = what;
  failure.retry_after_ms = retry_after;
  return failure;
}

TEST(RetryTest, JittersBetweenNothingAndTheDoublingCap) {
  const RetryPolicy policy;
  const std::int64_t caps[] = {500, 1'000, 2'000, 4'000, 8'000, 8'000};
  for (int failures = 1; failures <= 6; ++failures) {
    EXPECT_EQ(jittered_delay_ms(policy, failures, 0), 0);
    EXPECT_EQ(jittered_delay_ms(policy, failures, 0.5), caps[failures - 1] / 2);
    EXPECT_LT(jittered_delay_ms(policy, failures, 0.999999), caps[failures - 1]);
  }
  EXPECT_LE(jittered_delay_ms(policy, 1'000'000, 0.999999), 8'000);
}

TEST(RetryTest, SendsThreeTimesThenParksTwelveTimesThenGivesUp) {
  const ApiFailure failure = failure_of(FailureClass::kRetryable);
  EXPECT_EQ(decide_retry({}, failure, 1, 0, true, 0.5).action, RetryAction::kSendAgain);
  EXPECT_EQ(decide_retry({}, failure, 2, 0, true, 0.5).action, RetryAction::kSendAgain);
  const std::int64_t parks[] = {30'000,  60'000,  120'000, 240'000, 480'000, 900'000,
                                900'000, 900'000, 900'000, 900'000, 900'000, 900'000};
  for (int park = 0; park < 12; ++park) {
    const RetryDecision decision = decide_retry({}, failure, 3, park, true, 0.5);
    EXPECT_EQ(decision.action, RetryAction::kPark);
    EXPECT_EQ(decision.delay_ms, parks[park]);
  }
  EXPECT_EQ(decide_retry({}, failure, 3, 12, true, 0.5).action, RetryAction::kGiveUp);
}

TEST(RetryTest, NeverComesBackEarlierThanAsked) {
  for (const std::int64_t asked : {0, 1, 499, 5'000, 8'000, 8'001, 45'000, 3'600'000}) {
    for (const double uniform : {0.0, 0.3, 0.999}) {
      for (const int sends : {1, 2, 3}) {
        const RetryDecision decision =
            decide_retry({}, failure_of(FailureClass::kRetryable, asked), sends, 0, true, uniform);
        EXPECT_GE(decision.delay_ms, asked);
        EXPECT_TRUE(decision.action == RetryAction::kSendAgain || decision.action == RetryAction::kPark);
      }
    }
  }
}

TEST(RetryTest, PausesForMoneyAndForWaitsBeyondAnHour) {
  EXPECT_EQ(decide_retry({}, failure_of(FailureClass::kSpendLimit), 1, 0, true, 0).action, RetryAction::kPause);
  EXPECT_EQ(decide_retry({}, failure_of(FailureClass::kSpendLimit, 1), 1, 0, true, 0).action, RetryAction::kPause);
  EXPECT_EQ(decide_retry({}, failure_of(FailureClass::kRetryable, 3'600'001), 1, 0, true, 0).action,
            RetryAction::kPause);
}

TEST(RetryTest, NeverRepeatsWhatCannotHelpOrMayHaveBeenPaid) {
  EXPECT_EQ(decide_retry({}, failure_of(FailureClass::kPermanent), 1, 0, true, 0).action, RetryAction::kGiveUp);
  EXPECT_EQ(decide_retry({}, failure_of(FailureClass::kUnusable), 1, 0, true, 0).action, RetryAction::kGiveUp);
  EXPECT_EQ(decide_retry({}, failure_of(FailureClass::kUnknown), 1, 0, true, 0).action, RetryAction::kAskPolicy);
}

TEST(RetryTest, ParksWithoutBudgetAndWhenToldNotNow) {
  ApiFailure failure = failure_of(FailureClass::kRetryable);
  EXPECT_EQ(decide_retry({}, failure, 1, 0, false, 0).action, RetryAction::kPark);
  failure.retry_soon = false;
  EXPECT_EQ(decide_retry({}, failure, 1, 0, true, 0).action, RetryAction::kPark);
}

}  // namespace
}  // namespace cutd
