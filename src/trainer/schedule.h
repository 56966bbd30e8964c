// When a training does what: steps, learning rates and the order of examples. Pure; everything follows from the
// configuration, the number of examples and the step, so that a resumed training needs nothing but its step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/train_config.h"

namespace cutd {

struct TrainingPlan {
  std::int64_t examples = 0;
  std::int64_t examples_per_step = 0;  // micro-batch x accumulation; the last step of an epoch may have fewer
  std::int64_t steps_per_epoch = 0;
  std::int64_t all_steps = 0;       // epochs x steps per epoch
  std::int64_t last_step = 0;       // steps to be done: all_steps, or train.max_steps if that is less
  std::int64_t schedule_steps = 0;  // length of the learning-rate schedule
  std::int64_t warmup_steps = 0;
};
TrainingPlan plan_training(const TrainConfig& config, std::int64_t examples);

// Of the step with this number, counted from 0. Linear from 0 during warm-up, then cosine to 0 or constant.
double learning_rate(const TrainConfig& config, const TrainingPlan& plan, std::int64_t step);

// Positions of the examples of a step (from 0), in order. With train.shuffle each epoch has a Fisher-Yates order of
// its own, drawn with Philox from (train.seed, epoch).
std::vector<std::size_t> examples_of_step(const TrainConfig& config, const TrainingPlan& plan, std::int64_t step);

}  // namespace cutd
