#include "trainer/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cutd {
namespace {

TEST(OptimiserTest, ClippingScalesToTheNormAndReportsTheOneBefore) {
  at::Tensor gradients = at::tensor({3.0F, 4.0F});
  EXPECT_DOUBLE_EQ(clip_gradients(gradients, 1.0), 5.0);
  EXPECT_NEAR(gradients[0].item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(gradients[1].item<float>(), 0.8, 1e-6);
}

TEST(OptimiserTest, ASmallGradientAndAMissingLimitLeaveItAlone) {
  at::Tensor gradients = at::tensor({0.3F, 0.4F});
  clip_gradients(gradients, 1.0);
  EXPECT_EQ(gradients[0].item<float>(), 0.3F);
  at::Tensor large = at::tensor({3.0F, 4.0F});
  clip_gradients(large, 0);
  EXPECT_EQ(large[1].item<float>(), 4.0F);
}

// The textbook recurrence in double precision.
TEST(OptimiserTest, FollowsAdamWWithDecoupledDecay) {
  TrainConfig config;
  config.weight_decay = 0.1;
  at::Tensor parameters = at::tensor({1.0F, -2.0F, 0.5F});
  AdamW optimiser(config, parameters);
  std::vector<double> expected = {1.0, -2.0, 0.5};
  std::vector<double> mean(3), square(3);
  for (int step = 1; step <= 7; ++step) {
    std::vector<float> gradient;
    for (int i = 0; i < 3; ++i) gradient.push_back(static_cast<float>(std::sin(step * (i + 1))));
    const double rate = 0.01 * step;
    optimiser.step(parameters, at::tensor(gradient), rate);
    for (std::size_t i = 0; i < 3; ++i) {
      const double g = gradient[i];
      mean[i] = 0.9 * mean[i] + 0.1 * g;
      square[i] = 0.999 * square[i] + 0.001 * g * g;
      expected[i] -= rate * 0.1 * expected[i];
      expected[i] -=
          rate * (mean[i] / (1 - std::pow(0.9, step))) / (std::sqrt(square[i] / (1 - std::pow(0.999, step))) + 1e-8);
      EXPECT_NEAR(parameters[static_cast<std::int64_t>(i)].item<float>(), expected[i], 2e-6) << step;
    }
  }
  EXPECT_EQ(optimiser.steps(), 7);
}

TEST(OptimiserTest, ARestoredStateGoesOnWithTheSameBits) {
  TrainConfig config;
  at::Tensor left = at::tensor({1.0F, -2.0F});
  at::Tensor right = left.clone();
  AdamW one(config, left);
  one.step(left, at::tensor({0.5F, 0.25F}), 0.1);
  right.copy_(left);
  AdamW other(config, right);
  other.restore(one.mean().clone(), one.square_mean().clone(), one.steps());
  one.step(left, at::tensor({-0.1F, 0.7F}), 0.1);
  other.step(right, at::tensor({-0.1F, 0.7F}), 0.1);
  EXPECT_TRUE(at::equal(left, right));
}

}  // namespace
}  // namespace cutd
