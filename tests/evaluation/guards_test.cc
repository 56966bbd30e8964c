#include "evaluation/guards.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cutd {
namespace {

TEST(GuardsTest, CountsWords) {
  EXPECT_DOUBLE_EQ(mean_words({"a b c", "", "d\n e"}), 5.0 / 3);
  EXPECT_EQ(mean_words({}), 0);
}

TEST(GuardsTest, MeasuresDifferentWordPairsOverAllResponses) {
  EXPECT_DOUBLE_EQ(distinct_2({"a b c"}), 1);
  EXPECT_DOUBLE_EQ(distinct_2({"a b", "a b", "a b", "c d"}), 0.5);
  EXPECT_EQ(distinct_2({"a", ""}), 0);
}

TEST(GuardsTest, MeasuresPerplexityPerToken) {
  EXPECT_NEAR(perplexity({{std::log(0.5), std::log(0.5)}, {std::log(0.125), std::log(0.5)}}), std::pow(2.0, 6.0 / 4),
              1e-12);
  EXPECT_EQ(perplexity({}), 0);
}

TEST(GuardsTest, ComparesWithBandsAroundTheUntrainedModel) {
  const GuardValues untrained{38, 0.7, 2.19};
  for (const GuardResult& guard : check_guards(untrained, {20, 0.79, 3.07}, GuardBands{}))
    EXPECT_TRUE(guard.within) << guard.name;
  const std::vector<GuardResult> broken = check_guards(untrained, {8, 0.44, 9}, GuardBands{});
  ASSERT_EQ(broken.size(), 3u);
  for (const GuardResult& guard : broken) EXPECT_FALSE(guard.within) << guard.name;
  EXPECT_EQ(broken[1].name, "distinct_2");
  EXPECT_DOUBLE_EQ(broken[1].allowed.low, 0.8 * 0.7);
}

TEST(GuardsTest, NeverPassesWhatIsNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const GuardResult& guard :
       check_guards({1, 1, 1}, {nan, nan, std::numeric_limits<double>::infinity()}, GuardBands{})) {
    EXPECT_FALSE(guard.within) << guard.name;
  }
}

}  // namespace
}  // namespace cutd
