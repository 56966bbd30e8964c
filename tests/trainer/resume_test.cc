// What survives: checkpoints, and trainings that go on from them.
#include <ATen/Parallel.h>

#include "core/fault.h"
#include "trainer/checkpoint.h"
#include "trainer/training_support.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ResumeTest : public TrainingTest {
 protected:
  ResumeTest() {
    job_.config.lora.dropout = 0.1;
    job_.config.save_steps = 2;
    job_.checkpoint_dir = folder_ / "checkpoints";
    whole_ = job_;
    whole_.output_dir = folder_ / "whole";
    whole_.checkpoint_dir.clear();
  }
  ~ResumeTest() override {
    ::unsetenv("CUTD_FAIL_IO");
    fault::reload();
  }

  // Losses of the training that nothing disturbs.
  std::vector<double> losses_of_whole() {
    train(whole_);
    const std::vector<double> result = losses();
    reports_.clear();
    return result;
  }
  void stop_after(std::int64_t steps) {
    std::stop_source stop;
    on_step_ = [&](const StepReport& step) {
      if (step.step == steps) stop.request_stop();
    };
    EXPECT_EQ(error_of([&] { train(job_, stop.get_token()); }).code(), ErrorCode::kCancelled);
    on_step_ = {};
    job_.resume = true;
  }
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(job_.checkpoint_dir))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::filesystem::path checkpoint(int step) const {
    return job_.checkpoint_dir / ("checkpoint-" + std::to_string(step));
  }

  TrainingJob whole_;
};

TEST_F(ResumeTest, AStoppedTrainingHasTheLossesAndBytesOfAnUninterruptedOne) {
  const std::vector<double> expected = losses_of_whole();
  for (const std::int64_t step : {1, 3, 4, 7}) {
    SCOPED_TRACE(step);
    stop_after(step);
    const TrainingResult result = train(job_);
    EXPECT_EQ(result.resumed_from_step, step);
    EXPECT_EQ(result.steps, 8);
    EXPECT_THAT(losses(), ElementsAreArray(expected));
    EXPECT_EQ(adapter_bytes(job_.output_dir), adapter_bytes(whole_.output_dir));
    EXPECT_EQ(read_file(job_.output_dir / "training.json"), read_file(whole_.output_dir / "training.json"));
    std::filesystem::remove_all(job_.output_dir);
    std::filesystem::remove_all(job_.checkpoint_dir);
    reports_.clear();
    job_.resume = false;
  }
}

// The sums of a run cover the steps before the stop, too.
TEST_F(ResumeTest, TheResultIsThatOfTheWholeTraining) {
  const TrainingResult expected = train(whole_);
  stop_after(5);
  const TrainingResult result = train(job_);
  for (const char* key : {"loss", "detected_fraction", "tokens", "examples"})
    EXPECT_EQ(result.metrics.at(key), expected.metrics.at(key)) << key;
  EXPECT_EQ(result.final_loss, expected.final_loss);
}

TEST_F(ResumeTest, MaxStepsStopsAndALargerOneGoesOnInTheSameOutput) {
  const std::vector<double> expected = losses_of_whole();
  job_.config.max_steps = 5;
  EXPECT_FALSE(train(job_).complete);
  EXPECT_THAT(reports_, SizeIs(5));
  job_.resume = true;
  EXPECT_TRUE(train(job_).already_there);
  EXPECT_THAT(reports_, SizeIs(5));
  job_.config.max_steps = -1;
  const TrainingResult result = train(job_);
  EXPECT_EQ(result.resumed_from_step, 5);
  EXPECT_TRUE(result.complete);
  EXPECT_THAT(losses(), ElementsAreArray(expected));
  EXPECT_EQ(adapter_bytes(job_.output_dir), adapter_bytes(whole_.output_dir));
  EXPECT_TRUE(train(job_).already_there);
}

TEST_F(ResumeTest, TheNewestTwoCheckpointsStay) {
  train(job_);
  EXPECT_THAT(checkpoints(), ElementsAre("checkpoint-6", "checkpoint-8"));
}

TEST_F(ResumeTest, ADamagedCheckpointIsSweptAndTheOneBeforeIsUsed) {
  const std::vector<double> expected = losses_of_whole();
  stop_after(5);  // checkpoints of steps 4 and 5
  std::string bytes = read_file(checkpoint(5) / "optimiser.safetensors");
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  write_file_durably(checkpoint(5) / "optimiser.safetensors", bytes);
  reports_.resize(4);
  EXPECT_EQ(train(job_).resumed_from_step, 4);
  EXPECT_THAT(messages_, AllOf(HasSubstr("damaged"), HasSubstr("checkpoint-5")));
  EXPECT_THAT(losses(), ElementsAreArray(expected));
  EXPECT_EQ(adapter_bytes(job_.output_dir), adapter_bytes(whole_.output_dir));
}

TEST_F(ResumeTest, AnUnfinishedCheckpointIsSwept) {
  stop_after(4);
  std::filesystem::create_directories(job_.checkpoint_dir / ".checkpoint-6/adapter");
  std::filesystem::remove(checkpoint(4) / "state.json");
  std::filesystem::create_directories(job_.checkpoint_dir / "checkpoint-of-mine");
  EXPECT_EQ(train(job_).resumed_from_step, 2);
  EXPECT_THAT(messages_, AllOf(HasSubstr("unfinished"), HasSubstr(".checkpoint-6"), HasSubstr("checkpoint-4")));
  EXPECT_THAT(checkpoints(), ElementsAre("checkpoint-6", "checkpoint-8", "checkpoint-of-mine"));
}

TEST_F(ResumeTest, CheckpointsInTheWayAreNotOverwritten) {
  stop_after(3);
  job_.resume = false;
  const Error error = error_of([&] { train(job_); });
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("checkpoints"), HasSubstr("--resume")));
}

TEST_F(ResumeTest, OtherWorkIsRefusedAndTheDifferenceNamed) {
  stop_after(3);
  job_.config.learning_rate = 5e-3;
  job_.config.objective.lambda = 1.2;
  const Error config = error_of([&] { train(job_); });
  EXPECT_EQ(config.code(), ErrorCode::kConflict);
  EXPECT_THAT(config.what(),
              AllOf(HasSubstr("train.learning_rate (0.01, now 0.005)"), HasSubstr("objective.lambda (1.1, now 1.2)")));
  job_.config = whole_.config;
  job_.data = write_tiny_manifest(folder_.path(), 15);
  EXPECT_THAT(error_of([&] { train(job_); }).what(), AllOf(HasSubstr("data_sha256"), Not(HasSubstr("learning_rate"))));
}

TEST_F(ResumeTest, AnotherBaseIsRefused) {
  stop_after(3);
  ModelConfig other = tiny_model_config();
  other.rms_norm_eps = 1e-6;
  write_tiny_model(folder_ / "other", other);
  policy_ = std::make_unique<Policy>(folder_ / "other", at::kFloat, at::kCPU);
  EXPECT_THAT(error_of([&] { train(job_); }).what(), HasSubstr("base_model_hash"));
}

TEST_F(ResumeTest, HowItIsExecutedMayChange) {
  stop_after(3);
  job_.config.pack_tokens = 64;
  job_.config.recompute_layers = 1;
  job_.config.save_steps = 3;
  EXPECT_EQ(train(job_).resumed_from_step, 3);
}

TEST_F(ResumeTest, AnotherNumberOfThreadsIsAllowedAndSaid) {
  stop_after(3);
  at::set_num_threads(2);
  EXPECT_EQ(train(job_).resumed_from_step, 3);
  at::set_num_threads(1);
  EXPECT_THAT(messages_, HasSubstr("threads (1, now 2)"));
}

TEST_F(ResumeTest, AFullDiskLeavesTheCheckpointsThatWereThere) {
  const std::vector<double> expected = losses_of_whole();
  stop_after(2);
  ::setenv("CUTD_FAIL_IO", "write:1+", 1);
  fault::reload();
  const Error error = error_of([&] { train(job_); });
  EXPECT_EQ(error.code(), ErrorCode::kResource);
  EXPECT_THAT(error.what(), HasSubstr("No space left"));
  ::unsetenv("CUTD_FAIL_IO");
  fault::reload();
  reports_.resize(2);
  EXPECT_EQ(train(job_).resumed_from_step, 2);
  EXPECT_THAT(losses(), ElementsAreArray(expected));
}

TEST_F(ResumeTest, WithoutSaveStepsThereIsNothingToGoOnFrom) {
  job_.config.save_steps = 0;
  stop_after(3);
  EXPECT_FALSE(std::filesystem::exists(job_.checkpoint_dir));
  EXPECT_EQ(train(job_).resumed_from_step, 0);
}

TEST(CheckpointTest, DifferencesAreNamedByTheirPath) {
  const Json then = {{"train", {{"seed", 1}, {"dtype", "float32"}}}, {"old", true}};
  const Json now = {{"train", {{"seed", 2}, {"dtype", "float32"}}}, {"new", Json::array({1})}};
  EXPECT_EQ(describe_differences(then, now), "train.seed (1, now 2), old (true, now absent), new (absent, now [1])");
  EXPECT_THAT(describe_differences(then, then), IsEmpty());
}

}  // namespace
}  // namespace cutd
