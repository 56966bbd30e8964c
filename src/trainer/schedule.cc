#include "trainer/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "core/random.h"

namespace cutd {
namespace {

std::int64_t divide_up(std::int64_t value, std::int64_t divisor) { return (value + divisor - 1) / divisor; }

// Uniform in [0, limit): the high word of a 64-bit product, whose bias (limit / 2^32) is of no account here.
std::size_t draw_below(std::int64_t seed, std::size_t counter, std::size_t limit) {
  const auto bits = static_cast<std::uint64_t>(seed);
  const std::array<std::uint32_t, 4> words =
      philox({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0},
             {static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)});
  return static_cast<std::size_t>((static_cast<std::uint64_t>(words[0]) * limit) >> 32);
}

std::vector<std::size_t> epoch_order(const TrainConfig& config, std::size_t examples, std::int64_t epoch) {
  std::vector<std::size_t> order(examples);
  std::iota(order.begin(), order.end(), 0);
  if (!config.shuffle) return order;
  const std::int64_t seed = derive_seed(config.seed, "order of epoch " + std::to_string(epoch));
  for (std::size_t i = examples; i > 1; --i) std::swap(order[i - 1], order[draw_below(seed, i, i)]);
  return order;
}

}  // namespace

TrainingPlan plan_training(const TrainConfig& config, std::int64_t examples) {
  TrainingPlan plan;
  plan.examples = examples;
  plan.examples_per_step = config.per_device_train_batch_size * config.gradient_accumulation_steps;
  plan.steps_per_epoch = divide_up(examples, plan.examples_per_step);
  plan.all_steps = config.num_train_epochs * plan.steps_per_epoch;
  plan.last_step = config.max_steps < 0 ? plan.all_steps : std::min(plan.all_steps, config.max_steps);
  plan.schedule_steps = config.total_steps < 0 ? plan.all_steps : config.total_steps;
  plan.warmup_steps = config.warmup_steps;
  if (plan.warmup_steps == 0) {
    plan.warmup_steps =
        static_cast<std::int64_t>(std::ceil(config.warmup_ratio * static_cast<double>(plan.schedule_steps)));
  }
  return plan;
}

double learning_rate(const TrainConfig& config, const TrainingPlan& plan, std::int64_t step) {
  if (step < plan.warmup_steps) {
    return config.learning_rate * static_cast<double>(step) / static_cast<double>(plan.warmup_steps);
  }
  if (config.lr_scheduler_type == "constant") return config.learning_rate;
  const std::int64_t length = std::max<std::int64_t>(1, plan.schedule_steps - plan.warmup_steps);
  const double progress = std::min(1.0, static_cast<double>(step - plan.warmup_steps) / static_cast<double>(length));
  return config.learning_rate * std::max(0.0, 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}

std::vector<std::size_t> examples_of_step(const TrainConfig& config, const TrainingPlan& plan, std::int64_t step) {
  const std::vector<std::size_t> order =
      epoch_order(config, static_cast<std::size_t>(plan.examples), step / plan.steps_per_epoch);
  const std::int64_t first = step % plan.steps_per_epoch * plan.examples_per_step;
  const std::int64_t end = std::min(plan.examples, first + plan.examples_per_step);
  return {order.begin() + first, order.begin() + end};
}

}  // namespace cutd
