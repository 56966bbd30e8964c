#include "trainer/trainer.h"

#include <algorithm>
#include <cmath>

#include "core/fault.h"
#include "trainer/training_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TrainerTest : public TrainingTest {
 protected:
  double epoch_loss(std::size_t epoch) const {
    double sum = 0;
    for (std::size_t i = 4 * epoch; i < 4 * (epoch + 1); ++i) sum += reports_.at(i).loss;
    return sum;
  }
};

double largest_difference(const PeftAdapter& left, const PeftAdapter& right) {
  double largest = 0;
  for (const auto& [name, module] : left.modules) {
    const LoraModule& other = right.modules.at(name);
    for (std::size_t i = 0; i < module.a.size(); ++i)
      largest = std::max(largest, static_cast<double>(std::abs(module.a[i] - other.a[i])));
    for (std::size_t i = 0; i < module.b.size(); ++i)
      largest = std::max(largest, static_cast<double>(std::abs(module.b[i] - other.b[i])));
  }
  return largest;
}

TEST_F(TrainerTest, TrainsAndPublishesAnAdapterThatKnowsItsBase) {
  job_.config.num_train_epochs = 6;
  const TrainingResult result = train(job_);
  EXPECT_EQ(result.steps, 24);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.final_loss, reports_.back().loss);
  EXPECT_LT(epoch_loss(5), 0.9 * epoch_loss(0));
  const PeftAdapter adapter = read_adapter(job_.output_dir, policy_->config());
  EXPECT_EQ(adapter.r, 4);
  EXPECT_THAT(adapter.base_model_hash, SizeIs(64));
  EXPECT_THAT(adapter.target_modules(), ElementsAre("down_proj", "gate_proj", "up_proj"));
  const double rate = reports_[0].tokens_per_second;
  EXPECT_GT(rate, 0);
  EXPECT_EQ(reports_.back().remaining_seconds, 0);
  EXPECT_EQ(reports_.back().epoch, 6);
  EXPECT_EQ(result.metrics.at("satisfactory"), 4);
  EXPECT_EQ(result.metrics.at("criticised"), 8);
}

TEST_F(TrainerTest, ReportsWhatTheContractNames) {
  train(job_);
  const Json row = step_json(reports_[3]);
  for (const char* key :
       {"step", "total_steps", "epoch", "loss", "learning_rate", "grad_norm", "tokens", "detected_fraction",
        "likelihood", "unlikelihood", "tokens_per_second", "elapsed_seconds", "remaining_seconds"}) {
    EXPECT_TRUE(row.at(key).is_number()) << key;
  }
  EXPECT_EQ(row.at("step"), 4);
  EXPECT_EQ(row.at("total_steps"), 8);
}

// Executed tokens: both contexts of a criticised response.
TEST_F(TrainerTest, CountsTheTokensItRuns) {
  job_.config.num_train_epochs = 1;
  train(job_);
  std::int64_t expected = 0;
  for (const ManifestRow& row : read_manifest(job_.data).rows) {
    const TrainingExample& example = row.example;
    expected += static_cast<std::int64_t>(example.prompt_ids.size() + example.response_ids.size());
    if (example.kind == ExampleKind::kAlignN)
      expected += static_cast<std::int64_t>(example.prompt_judge_ids.size() + example.response_ids.size());
  }
  std::int64_t tokens = 0;
  for (const StepReport& report : reports_) tokens += report.tokens;
  EXPECT_EQ(tokens, expected);
}

TEST_F(TrainerTest, TheSameTrainingTwiceGivesTheSameBytes) {
  train(job_);
  const std::vector<double> first = losses();
  reports_.clear();
  TrainingJob again = job_;
  again.output_dir = folder_ / "again";
  train(again);
  EXPECT_EQ(losses(), first);
  EXPECT_EQ(adapter_bytes(again.output_dir), adapter_bytes(job_.output_dir));
  EXPECT_EQ(read_file(again.output_dir / "training.json"), read_file(job_.output_dir / "training.json"));
}

// Dropout is keyed by example, context and position, not by where a row happens to run. What remains is the order of
// fp32 sums: 1e-6 relative in the losses, and in the adapter what Adam makes of it at this learning rate.
TEST_F(TrainerTest, ThePackSizeChangesNothingButRounding) {
  job_.config.lora.dropout = 0.2;
  train(job_);
  const std::vector<double> expected = losses();
  for (const std::int64_t pack_tokens : {16, 60, 130}) {
    for (const std::int64_t recompute : {0, 1, 2}) {
      reports_.clear();
      TrainingJob other = job_;
      other.config.pack_tokens = pack_tokens;
      other.config.recompute_layers = recompute;
      other.output_dir = folder_ / ("pack-" + std::to_string(pack_tokens) + "-" + std::to_string(recompute));
      train(other);
      ASSERT_THAT(losses(), SizeIs(expected.size()));
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(losses()[i], expected[i], 2e-5 * expected[i]) << pack_tokens << " " << i;
      EXPECT_LT(largest_difference(read_adapter(other.output_dir, policy_->config()),
                                   read_adapter(job_.output_dir, policy_->config())),
                2e-4);
    }
  }
}

TEST_F(TrainerTest, ABfloat16BaseTrainsAnFp32AdapterAlmostAlike) {
  train(job_);
  const std::vector<double> expected = losses();
  reports_.clear();
  policy_ = std::make_unique<Policy>(folder_ / "model", at::kBFloat16, at::kCPU);
  job_.config.dtype = "bfloat16";
  job_.output_dir = folder_ / "bf16";
  train(job_);
  ASSERT_THAT(losses(), SizeIs(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(losses()[i], expected[i], 0.03 * expected[i]) << i;
  EXPECT_NE(losses()[0], expected[0]);
}

TEST_F(TrainerTest, SaysWhatItTrainsOn) {
  train(job_);
  EXPECT_THAT(messages_, HasSubstr("12 examples (4 satisfactory, 8 criticised), 8 steps"));
}

TEST_F(TrainerTest, DropoutChangesTheTraining) {
  job_.config.lora.dropout = 0;
  train(job_);
  const std::vector<double> without = losses();
  reports_.clear();
  job_.config.lora.dropout = 0.5;
  job_.output_dir = folder_ / "with";
  train(job_);
  EXPECT_NE(losses().back(), without.back());
}

TEST_F(TrainerTest, RowsWithoutGradientRunFirstAndStillDecideWhatIsDetected) {
  job_.config.objective.align_n_weight = 0;
  train(job_);
  EXPECT_GT(reports_[0].detected_fraction, 0);
  EXPECT_LT(reports_[0].detected_fraction, 1);
  reports_.clear();
  job_.config.objective.detection = false;
  job_.config.objective.gamma = 0;
  job_.output_dir = folder_ / "all";
  train(job_);
  EXPECT_EQ(reports_[0].detected_fraction, 1);
}

TEST_F(TrainerTest, MleTrainsOnSatisfactoryResponsesOnly) {
  job_.config.objective.name = "mle";
  const TrainingResult result = train(job_);
  EXPECT_EQ(result.steps, 4);  // 4 examples, 3 a step, 2 epochs
  EXPECT_EQ(result.metrics.at("criticised"), 0);
  EXPECT_EQ(reports_[0].detected_fraction, 0);
  EXPECT_NEAR(reports_[0].loss, reports_[0].likelihood, 1e-6);
}

TEST_F(TrainerTest, StartsFromTheValuesOfAnInitAdapter) {
  train(job_);
  const double last = reports_.back().loss;
  reports_.clear();
  TrainingJob next = job_;
  next.init_adapter_dir = job_.output_dir;
  next.output_dir = folder_ / "next";
  next.config.lora.dropout = 0;
  train(next);
  EXPECT_LT(reports_.front().loss, 1.2 * last);
  EXPECT_EQ(read_adapter(next.output_dir, policy_->config()).r, 4);
}

TEST_F(TrainerTest, AnInitAdapterOfAnotherBaseIsRefused) {
  train(job_);
  ModelConfig other = tiny_model_config();
  other.rms_norm_eps = 1e-6;
  write_tiny_model(folder_ / "other", other);
  policy_ = std::make_unique<Policy>(folder_ / "other", at::kFloat, at::kCPU);
  TrainingJob next = job_;
  next.init_adapter_dir = job_.output_dir;
  next.output_dir = folder_ / "next";
  const Error error = error_of([&] { train(next); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_THAT(error.what(), HasSubstr("belongs to the base model"));
}

TEST_F(TrainerTest, ADivergedTrainingNamesItsStep) {
  train(job_);
  PeftAdapter huge = read_adapter(job_.output_dir, policy_->config());
  for (auto& [name, module] : huge.modules) {
    std::fill(module.a.begin(), module.a.end(), 1e30F);
    std::fill(module.b.begin(), module.b.end(), 1e30F);
  }
  write_adapter(folder_ / "huge", huge);
  job_.init_adapter_dir = folder_ / "huge";
  job_.output_dir = folder_ / "diverged";
  const Error error = error_of([&] { train(job_); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("step 1"), HasSubstr("learning_rate")));
  EXPECT_FALSE(std::filesystem::exists(job_.output_dir));
}

TEST_F(TrainerTest, AnOutputInTheWayIsNamed) {
  train(job_);
  const Error error = error_of([&] { train(job_); });
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("adapter"), HasSubstr("--resume")));
  std::filesystem::create_directories(folder_ / "foreign");
  job_.output_dir = folder_ / "foreign";
  job_.resume = true;
  EXPECT_EQ(error_of([&] { train(job_); }).code(), ErrorCode::kConflict);
}

TEST_F(TrainerTest, AStopRequestEndsItWithinAPack) {
  std::stop_source stop;
  on_step_ = [&](const StepReport& step) {
    if (step.step == 3) stop.request_stop();
  };
  EXPECT_EQ(error_of([&] { train(job_, stop.get_token()); }).code(), ErrorCode::kCancelled);
  EXPECT_THAT(reports_, SizeIs(3));
  EXPECT_FALSE(std::filesystem::exists(job_.output_dir));
}

// Memory that runs out, by injection: the environment names how many forward passes it takes.
class TrainerMemoryTest : public TrainingTest {
 protected:
  ~TrainerMemoryTest() override {
    ::unsetenv("CUTD_FAIL_IO");
    fault::reload();
  }
  static void fail_memory(const char* how) {
    ::setenv("CUTD_FAIL_IO", how, 1);
    fault::reload();
  }
};

TEST_F(TrainerMemoryTest, OutOfMemoryHalvesThePacksAndChangesNoLoss) {
  train(job_);
  const std::vector<double> expected = losses();
  reports_.clear();
  job_.output_dir = folder_ / "small";
  fail_memory("memory:1");
  train(job_);
  EXPECT_THAT(messages_, HasSubstr("memory ran out in step 1"));
  ASSERT_THAT(losses(), SizeIs(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(losses()[i], expected[i], 2e-5 * expected[i]);
}

TEST_F(TrainerMemoryTest, WithoutMemoryForOneExampleItGivesUp) {
  fail_memory("memory:1+");
  const Error error = error_of([&] { train(job_); });
  EXPECT_EQ(error.code(), ErrorCode::kResource);
  EXPECT_THAT(reports_, IsEmpty());
}

}  // namespace
}  // namespace cutd
