#include "generator/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"

namespace cutd {
namespace {

std::vector<std::int64_t> kept(const std::vector<float>& logits, const SamplingConfig& config) {
  std::vector<std::int64_t> ids;
  for (const auto& row : filtered_distribution(logits, config)) ids.push_back(row.id);
  return ids;
}

SamplingConfig sampled() {
  SamplingConfig config;
  config.temperature = 1;
  return config;
}

TEST(SamplerTest, GreedyTakesTheFirstOfEqualLogits) {
  std::vector<float> logits = {1, 3, 3, 2};
  EXPECT_EQ(choose_token(logits, {}, SamplingConfig{}, 0, 0), 1);
}

TEST(SamplerTest, TopKKeepsTies) {
  SamplingConfig config = sampled();
  config.top_k = 2;
  EXPECT_EQ(kept({5, 4, 4, 1}, config), (std::vector<std::int64_t>{0, 1, 2}));
}

TEST(SamplerTest, TopPKeepsTheSmallestSetThatReachesTheMass) {
  SamplingConfig config = sampled();
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.2F)};
  config.top_p = 0.6;
  EXPECT_EQ(kept(logits, config), (std::vector<std::int64_t>{0, 1}));
  config.top_p = 1e-9;
  EXPECT_EQ(kept(logits, config), (std::vector<std::int64_t>{0}));
}

TEST(SamplerTest, MinPIsRelativeToTheLikeliestToken) {
  SamplingConfig config = sampled();
  config.min_p = 0.5;
  EXPECT_EQ(kept({std::log(0.5F), std::log(0.3F), std::log(0.2F)}, config), (std::vector<std::int64_t>{0, 1}));
}

TEST(SamplerTest, ThePenaltyTouchesEachSeenTokenOnceAndMakesItLessLikely) {
  std::vector<float> logits = {2, -2, 1};
  apply_repetition_penalty(logits, std::vector<std::int64_t>{0, 0, 1}, 2);
  EXPECT_EQ(logits, (std::vector<float>{1, -4, 1}));
}

TEST(SamplerTest, DrawsFollowTheDistribution) {
  const std::vector<float> logits = {std::log(0.7F), std::log(0.2F), std::log(0.1F)};
  std::map<std::int64_t, int> counts;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    std::vector<float> scratch = logits;
    ++counts[choose_token(scratch, {}, sampled(), 11, step)];
  }
  EXPECT_NEAR(counts[0] / 20'000.0, 0.7, 0.015);
  EXPECT_NEAR(counts[1] / 20'000.0, 0.2, 0.015);
}

TEST(SamplerTest, RefusesLogitsThatAreNotNumbers) {
  std::vector<float> logits = {1, NAN};
  EXPECT_THROW(choose_token(logits, {}, SamplingConfig{}, 0, 0), Error);
}

}  // namespace
}  // namespace cutd
