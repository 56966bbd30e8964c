#include "server/claim_rate.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

int admitted(ClaimRate& rate, UserId user, int claims, std::int64_t now_ms) {
  int count = 0;
  for (int i = 0; i < claims; ++i) count += rate.admit(user, now_ms) ? 1 : 0;
  return count;
}

TEST(ClaimRateTest, LetsNobodyLeafThroughTheQueue) {
  ClaimRate rate(120, 2);
  int count = 0;
  for (std::int64_t second = 0; second < 60; ++second) count += admitted(rate, {1}, 10'000 / 60, second * 1000);
  EXPECT_LE(count, 120 + 2 * 60);
}

TEST(ClaimRateTest, FillsAgainWithTime) {
  ClaimRate rate(10, 2);
  EXPECT_EQ(admitted(rate, {1}, 20, 0), 10);
  EXPECT_EQ(admitted(rate, {1}, 20, 1000), 2);
  EXPECT_EQ(admitted(rate, {1}, 20, 60'000), 10);
}

TEST(ClaimRateTest, KnowsPeopleApart) {
  ClaimRate rate(1, 0);
  EXPECT_TRUE(rate.admit({1}, 0));
  EXPECT_TRUE(rate.admit({2}, 0));
  EXPECT_FALSE(rate.admit({1}, 0));
}

}  // namespace
}  // namespace cutd
