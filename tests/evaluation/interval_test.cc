#include "evaluation/interval.h"

#include <gtest/gtest.h>

#include <chrono>

#include "core/error.h"

namespace cutd {
namespace {

TEST(IntervalTest, GivesWilsonsInterval) {
  // (p + z^2/2n +- z sqrt(p (1-p)/n + z^2/4n^2)) / (1 + z^2/n), computed in Python
  const Share share = wilson_share(42, 200);
  EXPECT_DOUBLE_EQ(share.value, 0.21);
  EXPECT_NEAR(share.interval.low, 0.1592841, 1e-6);
  EXPECT_NEAR(share.interval.high, 0.2716462, 1e-6);
}

TEST(IntervalTest, StaysInsideZeroAndOne) {
  EXPECT_NEAR(wilson_share(0, 10).interval.low, 0, 1e-12);
  EXPECT_NEAR(wilson_share(0, 10).interval.high, 0.2775328, 1e-6);
  EXPECT_NEAR(wilson_share(10, 10).interval.high, 1, 1e-12);
  EXPECT_EQ(wilson_share(0, 0).interval.high, 1);
}

TEST(IntervalTest, InterpolatesQuantilesAsNumpyDoes) {
  EXPECT_DOUBLE_EQ(sorted_quantile({1, 2, 3, 4}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(sorted_quantile({1, 2, 3, 4}, 1), 4);
  EXPECT_DOUBLE_EQ(sorted_quantile({5}, 0.3), 5);
}

std::vector<double> pattern(std::size_t count, std::size_t ones) {
  std::vector<double> values(count, 0);
  for (std::size_t i = 0; i < ones; ++i) values[i] = 1;
  return values;
}

TEST(BootstrapTest, MatchesTheNormalApproximationOnManyPairs) {
  // 30 of 200 pairs gained, none lost: mean 0.15, standard error sqrt(0.15 * 0.85 / 200) = 0.02525.
  const PairedDifference difference = paired_bootstrap(pattern(200, 40), pattern(200, 70), 10000, 1);
  EXPECT_DOUBLE_EQ(difference.value, 0.15);
  EXPECT_NEAR(difference.interval.low, 0.15 - 1.96 * 0.02525, 0.006);
  EXPECT_NEAR(difference.interval.high, 0.15 + 1.96 * 0.02525, 0.006);
}

TEST(BootstrapTest, HasNoSpreadWhenNothingDiffers) {
  const PairedDifference difference = paired_bootstrap(pattern(50, 10), pattern(50, 10), 1000, 1);
  EXPECT_EQ(difference.value, 0);
  EXPECT_EQ(difference.interval.low, 0);
  EXPECT_EQ(difference.interval.high, 0);
}

TEST(BootstrapTest, UsesPairsNotShares) {
  // Equal shares, but every pair differs: the interval is wide around 0.
  std::vector<double> parent = pattern(100, 50);
  std::vector<double> candidate(parent.rbegin(), parent.rend());
  const PairedDifference difference = paired_bootstrap(parent, candidate, 2000, 1);
  EXPECT_EQ(difference.value, 0);
  EXPECT_LT(difference.interval.low, -0.15);
  EXPECT_GT(difference.interval.high, 0.15);
}

TEST(BootstrapTest, RepeatsWithItsSeedAndChangesWithAnother) {
  const std::vector<double> parent = pattern(97, 20);
  std::vector<double> candidate = pattern(97, 35);
  candidate[0] = 0;
  EXPECT_EQ(paired_bootstrap(parent, candidate, 500, 7).interval.low,
            paired_bootstrap(parent, candidate, 500, 7).interval.low);
  bool differs = false;
  for (std::int64_t seed = 8; seed < 16; ++seed) {
    differs = differs || paired_bootstrap(parent, candidate, 500, seed).interval.high !=
                             paired_bootstrap(parent, candidate, 500, 7).interval.high;
  }
  EXPECT_TRUE(differs);
}

TEST(BootstrapTest, RefusesListsThatAreNoPairs) {
  EXPECT_THROW(paired_bootstrap({1}, {1, 0}, 100, 1), Error);
  EXPECT_THROW(paired_bootstrap({}, {}, 100, 1), Error);
}

}  // namespace
}  // namespace cutd
