#include "evaluation/win_rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cutd {
namespace {

TEST(WinRateTest, CountsWinsLossesAndDraws) {
  const WinRate rate = compute_win_rate({0, 1.5, 2, 1});  // 0 is the older way to write a draw
  EXPECT_DOUBLE_EQ(rate.win_rate, 50);
  EXPECT_NEAR(rate.standard_error, 20.41241452, 1e-8);
  EXPECT_EQ(rate.n_wins, 1);
  EXPECT_EQ(rate.n_wins_base, 1);
  EXPECT_EQ(rate.n_draws, 2);
  EXPECT_EQ(rate.n_total, 4);
}

TEST(WinRateTest, LeavesOutWhatHasNoVerdictOrLiesOutside) {
  const WinRate rate = compute_win_rate({2, std::nullopt, 3, -1, 0.5, 1});
  EXPECT_DOUBLE_EQ(rate.win_rate, 50);
  EXPECT_EQ(rate.n_total, 2);
}

TEST(WinRateTest, WeighsProbabilities) {
  const WinRate rate = compute_win_rate({1.2, 1.8, 1.5, 2.0, 1.0});
  EXPECT_DOUBLE_EQ(rate.win_rate, 50);
  EXPECT_NEAR(rate.standard_error, 18.43908891, 1e-8);
  EXPECT_DOUBLE_EQ(rate.discrete_win_rate, 50);
}

TEST(WinRateTest, IsNotANumberWithoutAVerdict) {
  EXPECT_TRUE(std::isnan(compute_win_rate({std::nullopt, std::nullopt}).win_rate));
  EXPECT_DOUBLE_EQ(compute_win_rate({2}).win_rate, 100);
  EXPECT_TRUE(std::isnan(compute_win_rate({2}).standard_error));
}

}  // namespace
}  // namespace cutd
