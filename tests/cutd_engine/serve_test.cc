// `cutd-engine serve` as the daemon uses it: the real program over its socket pair, a tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <thread>

#include "core/error.h"
#include "core/hash.h"
#include "engine/client.h"
#include "support/folders.h"
#include "support/temporary_directory.h"
#include "support/tiny_model.h"
#include "weights/peft.h"

namespace cutd {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ServeTest : public ::testing::Test {
 protected:
  ServeTest() {
    write_tiny_model(folder_ / "model");
    manifest_ = write_tiny_manifest(folder_.path(), 12);
    start();
  }
  void start() {
    EngineProcessOptions options;
    options.program = program_folder() / "cutd-engine";
    options.log_file = folder_ / "engine.log";
    options.restart = {.first_delay_ms = 5, .longest_delay_ms = 20, .most_failures = 4, .window_ms = 60'000};
    engine_.emplace(options, clock_, logger_);
  }

  ModelSpec model(const std::string& adapter = "") const {
    ModelSpec spec;
    spec.model_dir = folder_ / "model";
    spec.adapter_dir = adapter;
    spec.device = "cpu";
    spec.threads = 1;
    return spec;
  }
  GenerateRequest two_prompts(const std::string& adapter = "") const {
    GenerateRequest request;
    request.model = model(adapter);
    request.sampling.max_new_tokens = 6;
    request.sampling.ignore_eos = true;
    request.prompts = {{tiny_ids(4, 1), 1}, {tiny_ids(7, 2), 2}};
    return request;
  }
  TrainRequest training(const std::string& name) const {
    TrainRequest request;
    request.model = model();
    request.manifest = manifest_;
    request.output_dir = folder_ / name;
    request.checkpoint_dir = folder_ / (name + ".checkpoints");
    request.config.gradient_accumulation_steps = 3;
    request.config.num_train_epochs = 3;
    request.config.learning_rate = 1e-2;
    request.config.save_steps = 2;
    return request;
  }
  static Error error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kInternal, "no error");
  }
  std::string adapter_sha(const std::string& name) const {
    return sha256_file(folder_ / name / "adapter_model.safetensors");
  }

  const TemporaryDirectory folder_;
  std::filesystem::path manifest_;
  const SystemClock clock_;
  NullLogger logger_;
  std::optional<EngineClient> engine_;
};

TEST_F(ServeTest, LoadsGeneratesAndScoresOneResidentModel) {
  const LoadReply loaded = engine_->load(model(), {}, {});
  EXPECT_EQ(loaded.device, "cpu");
  EXPECT_EQ(loaded.dtype, "float32");
  EXPECT_EQ(loaded.threads, 1);
  EXPECT_GT(loaded.parameters, 1000);
  std::vector<std::string> phases;
  const std::vector<GeneratedResponse> responses =
      engine_->generate(two_prompts(), {}, [&](const EngineProgress& progress) { phases.push_back(progress.phase); });
  ASSERT_THAT(responses, SizeIs(2));
  EXPECT_THAT(responses[0].ids, SizeIs(6));
  EXPECT_EQ(responses[0].finish_reason, "length");
  EXPECT_THAT(phases, ::testing::Contains("generate"));
  // Scoring what was generated gives the log-probabilities of generation.
  ScoreRequest score{model(), {}};
  ScoreItem item{tiny_ids(4, 1), 4};
  item.ids.insert(item.ids.end(), responses[0].ids.begin(), responses[0].ids.end());
  score.items.push_back(item);
  const std::vector<std::vector<double>> scores = engine_->score(score, {}, {});
  ASSERT_THAT(scores, SizeIs(1));
  EXPECT_THAT(scores[0], ::testing::Pointwise(::testing::DoubleNear(1e-5), responses[0].logprobs));
  EXPECT_EQ(engine_->state().starts, 1);
}

TEST_F(ServeTest, TrainsOnTheResidentWeightsAndTheAdapterCanBeFoldedAndMerged) {
  const std::vector<GeneratedResponse> before = engine_->generate(two_prompts(), {}, {});
  std::vector<std::int64_t> steps;
  std::vector<double> losses;
  const TrainReply reply = engine_->train(training("delta"), {}, [&](const EngineProgress& progress) {
    if (!progress.detail.is_object()) return;
    EXPECT_EQ(progress.total, 12);
    steps.push_back(progress.detail.at("step").get<std::int64_t>());
    losses.push_back(progress.detail.at("loss").get<double>());
  });
  EXPECT_EQ(reply.steps, 12);
  EXPECT_EQ(reply.resumed_from_step, 0);
  EXPECT_THAT(steps, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_EQ(reply.final_loss, losses.back());
  EXPECT_LT(losses.back(), losses.front());
  EXPECT_GT(reply.metrics.at("tokens").get<std::int64_t>(), 0);

  const std::vector<GeneratedResponse> base = engine_->generate(two_prompts(), {}, {});
  EXPECT_EQ(base[0].logprobs, before[0].logprobs);  // training left the weights alone
  const std::vector<GeneratedResponse> trained = engine_->generate(two_prompts(folder_ / "delta"), {}, {});
  EXPECT_NE(trained[0].logprobs, before[0].logprobs);

  MergeRequest merge{model(folder_ / "delta"), folder_ / "merged"};
  const MergeReply merged = engine_->merge(merge, {}, {});
  EXPECT_LT(merged.max_logit_difference, 1e-4);
  GenerateRequest from_merged = two_prompts();
  from_merged.model.model_dir = folder_ / "merged";
  EXPECT_EQ(engine_->generate(from_merged, {}, {})[0].ids, trained[0].ids);
  EXPECT_EQ(engine_->state().starts, 1);
}

TEST_F(ServeTest, TrainsOnTheParentsFoldedWeights) {
  engine_->train(training("parent"), {}, {});
  TrainRequest child = training("child");
  child.model.adapter_dir = folder_ / "parent";
  double first_loss = 0;
  engine_->train(child, {}, [&](const EngineProgress& progress) {
    if (progress.detail.is_object() && progress.done == 1) first_loss = progress.detail.at("loss").get<double>();
  });
  TrainRequest plain = training("plain");
  double plain_first_loss = 0;
  engine_->train(plain, {}, [&](const EngineProgress& progress) {
    if (progress.detail.is_object() && progress.done == 1) plain_first_loss = progress.detail.at("loss").get<double>();
  });
  EXPECT_LT(first_loss, plain_first_loss);
  EXPECT_EQ(adapter_sha("plain"), adapter_sha("parent"));  // and leaves no trace of the fold behind
}

// Long enough that a stop or a kill falls into it.
TEST_F(ServeTest, ACancelledTrainingGoesOnWithTheSameBytes) {
  TrainRequest whole = training("whole");
  TrainRequest parted = training("parted");
  whole.config.num_train_epochs = parted.config.num_train_epochs = 400;
  whole.config.save_steps = parted.config.save_steps = 1000;
  engine_->train(whole, {}, {});
  std::stop_source stop;
  const Error error = error_of([&] {
    engine_->train(parted, stop.get_token(), [&](const EngineProgress& progress) {
      if (progress.detail.is_object() && progress.done >= 3) stop.request_stop();
    });
  });
  ASSERT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "parted"));
  const TrainReply reply = engine_->train(parted, {}, {});
  EXPECT_GE(reply.resumed_from_step, 3);  // the stop itself left a checkpoint
  EXPECT_EQ(reply.steps, 1600);
  EXPECT_EQ(adapter_sha("parted"), adapter_sha("whole"));
  EXPECT_EQ(engine_->state().starts, 1);
}

TEST_F(ServeTest, AKilledTrainingGoesOnWithTheSameBytes) {
  TrainRequest whole = training("whole");
  TrainRequest parted = training("parted");
  whole.config.num_train_epochs = parted.config.num_train_epochs = 100;
  whole.config.save_steps = parted.config.save_steps = 20;
  engine_->train(whole, {}, {});
  bool killed = false;
  const Error error = error_of([&] {
    engine_->train(parted, {}, [&](const EngineProgress& progress) {
      if (!progress.detail.is_object() || progress.done < 25 || killed) return;
      ::kill(engine_->state().pid, SIGKILL);
      killed = true;
    });
  });
  ASSERT_EQ(error.code(), ErrorCode::kUnavailable);
  const TrainReply reply = engine_->train(parted, {}, {});
  EXPECT_GE(reply.resumed_from_step, 20);
  EXPECT_EQ(reply.resumed_from_step % 20, 0);
  EXPECT_EQ(adapter_sha("parted"), adapter_sha("whole"));
}

// A crash at each point that a training passes: before and after a step is reported, while a checkpoint is written, and
// on both sides of a rename (of the first, the second checkpoint, and of the finished adapter).
TEST_F(ServeTest, ATrainingKilledAtANamedPointEndsWithTheSameBytes) {
  engine_->train(training("whole"), {}, {});
  int number = 0;
  for (const char* place : {"train.after_step:1", "train.after_step:3", "train.checkpoint:1", "train.checkpoint:2",
                            "publish.before_rename:1", "publish.after_rename:1", "publish.after_rename:2",
                            "publish.before_rename:7", "publish.after_rename:7"}) {
    ::setenv("CUTD_CRASH_AT", place, 1);
    start();
    const std::string name = "parted-" + std::to_string(++number);
    EXPECT_EQ(error_of([&] { engine_->train(training(name), {}, {}); }).code(), ErrorCode::kUnavailable) << place;
    ::unsetenv("CUTD_CRASH_AT");
    std::filesystem::remove_all(folder_ / name);  // as the daemon does with the output of a failed try
    const TrainReply reply = engine_->train(training(name), {}, {});
    EXPECT_EQ(reply.steps, 12) << place;
    EXPECT_EQ(adapter_sha(name), adapter_sha("whole")) << place;
    EXPECT_EQ(engine_->state().starts, 2) << place;
  }
}

TEST_F(ServeTest, ANamedCrashHitsTheFirstEngineAlone) {
  ::setenv("CUTD_CRASH_AT", "train.checkpoint", 1);
  start();
  EXPECT_EQ(error_of([&] { engine_->train(training("delta"), {}, {}); }).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(engine_->train(training("delta"), {}, {}).steps, 12);
  ::unsetenv("CUTD_CRASH_AT");
}

TEST_F(ServeTest, ACancelledGenerationEndsSoonAndTheEngineLivesOn) {
  GenerateRequest endless = two_prompts();
  endless.sampling.max_new_tokens = 120;
  for (int i = 0; i < 2000; ++i) endless.prompts.push_back({tiny_ids(5, 3), i});
  endless.max_batch = 1;
  std::stop_source stop;
  const Error error = error_of(
      [&] { engine_->generate(endless, stop.get_token(), [&](const EngineProgress&) { stop.request_stop(); }); });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_THAT(engine_->generate(two_prompts(), {}, {}), SizeIs(2));
  EXPECT_EQ(engine_->state().starts, 1);
}

TEST_F(ServeTest, AKilledEngineIsStartedAgainAndAnswersAlike) {
  const std::vector<GeneratedResponse> first = engine_->generate(two_prompts(), {}, {});
  ::kill(engine_->state().pid, SIGKILL);
  while (engine_->state().running) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const std::vector<GeneratedResponse> second = engine_->generate(two_prompts(), {}, {});
  EXPECT_EQ(first[1].ids, second[1].ids);
  EXPECT_EQ(first[1].logprobs, second[1].logprobs);
  EXPECT_EQ(engine_->state().starts, 2);
}

TEST_F(ServeTest, ErrorsNameTheCulpritAndTheEngineGoesOn) {
  ModelSpec missing = model();
  missing.model_dir = folder_ / "absent";
  EXPECT_THAT(error_of([&] { engine_->load(missing, {}, {}); }).what(), HasSubstr("absent"));
  GenerateRequest foreign = two_prompts();
  foreign.prompts[1].ids = {1, 999};
  EXPECT_EQ(error_of([&] { engine_->generate(foreign, {}, {}); }).code(), ErrorCode::kBadInput);
  TrainRequest no_manifest = training("none");
  no_manifest.manifest = folder_ / "absent.jsonl";
  EXPECT_THAT(error_of([&] { engine_->train(no_manifest, {}, {}); }).what(), HasSubstr("absent.jsonl"));
  EXPECT_THAT(error_of([&] { engine_->generate(two_prompts(folder_ / "no-adapter"), {}, {}); }).what(),
              HasSubstr("no-adapter"));
  EXPECT_THAT(engine_->generate(two_prompts(), {}, {}), SizeIs(2));
  EXPECT_EQ(engine_->state().starts, 1);
}

TEST_F(ServeTest, SaysWhatItIs) {
  const Json description = engine_->describe({});
  EXPECT_THAT(description.at("version").get<std::string>(), HasSubstr("."));
  EXPECT_GT(description.at("threads").get<int>(), 0);
  EXPECT_EQ(description.at("devices").at(0), "cpu");
}

}  // namespace
}  // namespace cutd
