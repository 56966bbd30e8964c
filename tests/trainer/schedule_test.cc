#include "trainer/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

TrainConfig steps_of(std::int64_t micro_batch, std::int64_t accumulation) {
  TrainConfig config;
  config.per_device_train_batch_size = micro_batch;
  config.gradient_accumulation_steps = accumulation;
  return config;
}

TEST(ScheduleTest, CountsStepsAsTheAuthorsRunDoes) {
  const TrainingPlan plan = plan_training(steps_of(1, 8), 358);
  EXPECT_EQ(plan.steps_per_epoch, 45);
  EXPECT_EQ(plan.all_steps, 45);
  EXPECT_EQ(plan.last_step, 45);
  EXPECT_EQ(plan.schedule_steps, 45);
}

TEST(ScheduleTest, MaxStepsEndsEarlierAndLeavesTheScheduleAlone) {
  TrainConfig config = steps_of(2, 4);
  config.num_train_epochs = 3;
  config.max_steps = 5;
  const TrainingPlan plan = plan_training(config, 16);
  EXPECT_EQ(plan.all_steps, 6);
  EXPECT_EQ(plan.last_step, 5);
  EXPECT_EQ(plan.schedule_steps, 6);
  config.max_steps = 50;
  EXPECT_EQ(plan_training(config, 16).last_step, 6);
}

TEST(ScheduleTest, WarmUpByRatioIsRoundedUp) {
  TrainConfig config = steps_of(1, 1);
  config.warmup_ratio = 0.03;
  EXPECT_EQ(plan_training(config, 101).warmup_steps, 4);
  config.warmup_steps = 7;
  EXPECT_EQ(plan_training(config, 101).warmup_steps, 7);
}

TEST(ScheduleTest, TheRateRisesLinearlyAndFallsAsACosine) {
  TrainConfig config = steps_of(1, 1);
  config.learning_rate = 0.005;
  config.warmup_steps = 2;
  const TrainingPlan plan = plan_training(config, 8);
  const std::vector<double> expected = {0, 0.0025, 0.005, 0.00466506351, 0.00375, 0.0025, 0.00125, 0.000334936491};
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(learning_rate(config, plan, static_cast<std::int64_t>(step)), expected[step], 1e-11) << step;
  }
  EXPECT_NEAR(learning_rate(config, plan, 8), 0, 1e-15);
  EXPECT_NEAR(learning_rate(config, plan, 20), 0, 1e-15);
}

// The authors' online rounds end before their 100 warm-up steps do.
TEST(ScheduleTest, AWarmUpLongerThanTheDataIsNeverLeft) {
  TrainConfig config = steps_of(1, 8);
  config.warmup_steps = 100;
  const TrainingPlan plan = plan_training(config, 358);
  EXPECT_EQ(learning_rate(config, plan, 0), 0);
  EXPECT_NEAR(learning_rate(config, plan, 44), 1.76e-4, 1e-15);
}

TEST(ScheduleTest, AConstantRateStaysAfterTheWarmUp) {
  TrainConfig config = steps_of(1, 1);
  config.lr_scheduler_type = "constant";
  config.learning_rate = 0.1;
  config.warmup_steps = 2;
  const TrainingPlan plan = plan_training(config, 10);
  EXPECT_DOUBLE_EQ(learning_rate(config, plan, 1), 0.05);
  EXPECT_DOUBLE_EQ(learning_rate(config, plan, 9), 0.1);
}

TEST(ScheduleTest, AnUnshuffledEpochKeepsTheFileOrderAndItsLastStepIsSmaller) {
  TrainConfig config = steps_of(2, 2);
  config.shuffle = false;
  const TrainingPlan plan = plan_training(config, 6);
  EXPECT_THAT(examples_of_step(config, plan, 0), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(examples_of_step(config, plan, 1), ElementsAre(4, 5));
  EXPECT_THAT(examples_of_step(config, plan, 2), ElementsAre(0, 1, 2, 3));
}

std::vector<std::size_t> epoch(const TrainConfig& config, const TrainingPlan& plan, std::int64_t number) {
  std::vector<std::size_t> order;
  for (std::int64_t i = 0; i < plan.steps_per_epoch; ++i) {
    for (const std::size_t example : examples_of_step(config, plan, number * plan.steps_per_epoch + i))
      order.push_back(example);
  }
  return order;
}

TEST(ScheduleTest, AShuffledEpochHasEveryExampleOnceInAnOrderOfItsOwn) {
  const TrainConfig config = steps_of(1, 3);
  const TrainingPlan plan = plan_training(config, 20);
  std::vector<std::size_t> all(20);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  EXPECT_THAT(epoch(config, plan, 0), UnorderedElementsAreArray(all));
  EXPECT_NE(epoch(config, plan, 0), all);
  EXPECT_NE(epoch(config, plan, 0), epoch(config, plan, 1));
  TrainConfig other = config;
  other.seed = 43;
  EXPECT_NE(epoch(config, plan, 0), epoch(other, plan, 0));
}

// Which of three comes first, over many seeds: each about a third of the time.
TEST(ScheduleTest, TheShuffleIsUniform) {
  std::vector<int> counts(6);
  TrainConfig config = steps_of(3, 1);
  const TrainingPlan plan = plan_training(config, 3);
  for (config.seed = 0; config.seed < 6000; ++config.seed) {
    const std::vector<std::size_t> order = examples_of_step(config, plan, 0);
    counts[2 * order[0] + (order[1] > order[2] ? 1 : 0)] += 1;
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);  // four standard deviations
}

}  // namespace
}  // namespace cutd
