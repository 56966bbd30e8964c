// P18 by simulated clock.
#include "llm_api/overload.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

TEST(ConcurrencyLimitTest, GrowsByOneARound) {
  ConcurrencyLimit limit(16, 256);
  for (int i = 0; i < 17; ++i) limit.succeeded();
  EXPECT_EQ(limit.limit(), 17);
  for (int i = 0; i < 100'000; ++i) limit.succeeded();
  EXPECT_EQ(limit.limit(), 256);
}

TEST(ConcurrencyLimitTest, StartsNoHigherThanItMayGrow) {
  ConcurrencyLimit limit(16, 4);
  EXPECT_EQ(limit.limit(), 4);
  limit.succeeded();
  EXPECT_EQ(limit.limit(), 4);
}

TEST(ReachTest, CountsFromTheFirstOfAnUnbrokenRow) {
  Reach reach;
  EXPECT_EQ(reach.missing_ms(1'000), 0);
  reach.never_sent(1'000);
  reach.never_sent(60'000);
  EXPECT_EQ(reach.missing_ms(61'000), 60'000);
  reach.reached();
  EXPECT_EQ(reach.missing_ms(90'000), 0);
  reach.never_sent(100'000);
  EXPECT_EQ(reach.missing_ms(101'000), 1'000);
}

TEST(ConcurrencyLimitTest, HalvesOnceForOneBurst) {
  ConcurrencyLimit limit(64, 256);
  for (int i = 0; i < 64; ++i) limit.throttled(100, 200 + i);  // all sent before the first refusal
  EXPECT_EQ(limit.limit(), 32);
  limit.throttled(300, 400);
  EXPECT_EQ(limit.limit(), 16);
  for (int i = 0; i < 100; ++i) limit.throttled(1'000 + 2 * i, 1'001 + 2 * i);
  EXPECT_EQ(limit.limit(), 1);
}

// An hour without one success, then health. 64 requests want to be sent at any time.
TEST(CircuitTest, ProbesASickServerOnceAMinuteAndRecoversWithinTwo) {
  Circuit circuit;
  int sends = 0;
  std::int64_t recovered = 0;
  for (std::int64_t now = 0; now < 3'720'000 && recovered == 0; now += 100) {
    for (int i = 0; i < 64 && circuit.admits(now); ++i) {
      circuit.sent(now);
      ++sends;
      if (now < 3'600'000) circuit.failed(now);
      else circuit.succeeded();
      if (!circuit.open() && now >= 3'600'000) recovered = now;
    }
  }
  EXPECT_LE(sends, 20 + 61 + 64);
  EXPECT_GT(recovered, 0);
  EXPECT_LE(recovered - 3'600'000, 120'000);
}

TEST(CircuitTest, IsNeeded) {  // the negative control: one that learns of no failure sends all that it may
  Circuit circuit;
  int sends = 0;
  for (std::int64_t now = 0; now < 3'600'000; now += 100) {
    for (int i = 0; i < 64 && circuit.admits(now); ++i) {
      circuit.sent(now);
      ++sends;
    }
  }
  EXPECT_GT(sends, 1'000'000);
}

TEST(CircuitTest, OpensOnlyForAnUnbrokenRow) {
  Circuit circuit;
  for (int i = 0; i < 19; ++i) circuit.failed(0);
  circuit.succeeded();
  for (int i = 0; i < 19; ++i) circuit.failed(0);
  EXPECT_FALSE(circuit.open());
  circuit.failed(0);
  EXPECT_TRUE(circuit.open());
  EXPECT_FALSE(circuit.admits(59'999));
  EXPECT_TRUE(circuit.admits(60'000));
  circuit.sent(60'000);
  EXPECT_FALSE(circuit.admits(60'001));
}

TEST(RetryBudgetTest, KeepsRetriesToATenthOfTheSends) {
  RetryBudget budget;
  int sends = 0;
  int retries = 0;
  for (std::int64_t now = 0; now < 600'000; now += 100) {  // half of all requests fail and want a retry
    budget.sent(now, false);
    ++sends;
    if (now % 200 == 0 && budget.allows_retry(now)) {
      budget.sent(now, true);
      ++sends;
      ++retries;
    }
  }
  EXPECT_LE(retries, sends / 10);
  EXPECT_GE(retries, sends * 8 / 100);
}

TEST(RetryBudgetTest, IsNeeded) {  // the negative control: one that is not told of retries lets all of them through
  RetryBudget budget;
  int retries = 0;
  for (std::int64_t now = 0; now < 600'000; now += 100) {
    budget.sent(now, false);
    if (now % 200 == 0 && budget.allows_retry(now)) ++retries;
  }
  EXPECT_EQ(retries, 3'000);  // a third of all sends
}

TEST(RetryBudgetTest, HoldsBackByTheServersAcceptance) {
  RetryBudget budget;
  for (int i = 0; i < 100; ++i) budget.sent(1'000, false);
  EXPECT_EQ(budget.hold_back_probability(1'000), 0);  // nobody answered yet
  for (int i = 0; i < 100; ++i) budget.answered(1'000, i % 2 == 0);
  EXPECT_EQ(budget.hold_back_probability(1'000), 0);  // half accepted: all may pass
  for (int i = 0; i < 99; ++i) budget.answered(1'000, false);
  EXPECT_NEAR(budget.hold_back_probability(1'000), 99.0 / 200, 1e-9);
  EXPECT_EQ(budget.hold_back_probability(200'000), 0);  // forgotten after two minutes
}

}  // namespace
}  // namespace cutd
