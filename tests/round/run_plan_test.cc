#include "round/run_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/yaml.h"
#include "support/folders.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

ModelConfig llama_2_13b() {
  ModelConfig model;
  model.hidden_size = 5120;
  model.intermediate_size = 13824;
  model.layers = 40;
  model.heads = model.kv_heads = 40;
  model.head_dim = 128;
  model.vocab_size = 32000;
  return model;
}

InstructionSets sets(std::size_t train) {
  const auto rows = [](std::size_t count, const std::string& prefix) {
    std::vector<Instruction> list(count);
    for (std::size_t i = 0; i < count; ++i) list[i].text = prefix + std::to_string(i);
    return list;
  };
  return {rows(train, "train "), rows(300, "gate "), rows(805, "report "), 0};
}

// The shipped file itself.
RunConfig published(const std::vector<ConfigOverride>& overrides = {}) {
  const std::filesystem::path path = source_folder() / "examples/cut-llama2-13b-iterative.yaml";
  return parse_run_config(read_yaml_file(path), path.string(), overrides);
}

TEST(RunPlanTest, CountsEveryResponseOfThePublishedSetting) {
  const RunPlan plan = plan_run(published(), llama_2_13b(), sets(51'700), {});
  EXPECT_EQ(plan.rounds, 5);
  EXPECT_EQ(plan.train_responses, 5000);
  EXPECT_EQ(plan.gate_responses, 6 * 300);
  EXPECT_EQ(plan.report_responses, 2 * 805);
  EXPECT_EQ(plan.responses, 8410);
  RunConfig config = published();
  config.limits.start_from = "kept";
  EXPECT_EQ(plan_run(config, llama_2_13b(), sets(51'700), {}).gate_responses, 7 * 300) << "and what it starts from";
}

TEST(RunPlanTest, FewerInstructionsAreFewerRounds) {
  EXPECT_EQ(plan_run(published(), llama_2_13b(), sets(3500), {}).rounds, 3);
}

TEST(RunPlanTest, TheCostLiesBetweenALikelyAndAHighestValueAndIsCapped) {
  const RunPlan plan = plan_run(published(), llama_2_13b(), sets(51'700), {});
  EXPECT_TRUE(plan.paid);
  EXPECT_GT(plan.likely_usd, 8410 * 300 * 30e-6);  // the prompt and a response of 256 tokens
  EXPECT_LT(plan.likely_usd, plan.most_usd);
  EXPECT_DOUBLE_EQ(plan.cap_usd, 600);
  EXPECT_DOUBLE_EQ(plan_run(published({{"run.budget_usd", "50"}}), llama_2_13b(), sets(51'700), {}).cap_usd, 50);
  PlanAssumptions longer;
  longer.response_tokens = 1024;
  EXPECT_GT(plan_run(published(), llama_2_13b(), sets(51'700), longer).likely_usd, plan.likely_usd);
}

TEST(RunPlanTest, EveryAnnotatorOfAQuorumIsCountedAndPaid) {
  RunConfig config = published();
  AnnotatorConfig rules;
  rules.name = "rules";
  config.annotators.insert(config.annotators.begin(), rules);
  config.quorum.members = {{}, {}};
  const RunPlan plan = plan_run(config, llama_2_13b(), sets(51'700), {});
  EXPECT_TRUE(plan.paid);
  EXPECT_EQ(plan.judge_calls, 2 * 8410);
  EXPECT_DOUBLE_EQ(plan.likely_usd, plan_run(published(), llama_2_13b(), sets(51'700), {}).likely_usd);
  EXPECT_THAT(run_plan_text(plan), HasSubstr("calls      at most 16820 of the 2 annotators"));
}

TEST(RunPlanTest, ABatchIsPaidAndCostsHalf) {
  RunConfig config = published();
  config.annotators[0].kind = "batch";
  const RunPlan plan = plan_run(config, llama_2_13b(), sets(51'700), {});
  EXPECT_TRUE(plan.paid);
  EXPECT_NEAR(2 * plan.likely_usd, plan_run(published(), llama_2_13b(), sets(51'700), {}).likely_usd, 1e-6);
}

TEST(RunPlanTest, CanariesAndPairsAreCountedToo) {
  const PlanExtras extras{20, PlannedPairs{"alpaca_eval_gpt4", 805, 12, 50, 60}};
  const RunPlan plan = plan_run(published(), llama_2_13b(), sets(51'700), {}, extras);
  EXPECT_EQ(plan.judge_calls, 8410 + 5 * 20);
  EXPECT_EQ(run_plan_json(plan).at("pairwise").at("calls"), 805);
  EXPECT_THAT(run_plan_text(plan), HasSubstr("one a response and canary (of these 100)"));
  EXPECT_THAT(run_plan_text(plan), HasSubstr("805 calls of alpaca_eval_gpt4 (cutd eval run)"));
  EXPECT_THAT(run_plan_text(plan), HasSubstr("within pairwise.max_usd of 60.00 $"));
}

TEST(RunPlanTest, MemoryFollowsFromTheShapes) {
  const RunPlan plan = plan_run(published(), llama_2_13b(), sets(51'700), {});
  EXPECT_EQ(plan.parameters, 13'015'864'320);
  EXPECT_EQ(plan.weight_bytes, 2 * plan.parameters);
  EXPECT_EQ(plan.cache_bytes, 50LL * (2048 + 256) * 40 * 2 * 40 * 128 * 2);
  EXPECT_GT(plan.training_bytes, 3 * 40 * 16 * (5120 + 13824) * 4 * 4);  // LoRA with gradient and two moments
}

TEST(RunPlanTest, TimeFollowsFromGivenSpeeds) {
  PlanAssumptions assumed;
  assumed.response_tokens = 100;
  assumed.generation_tokens_per_second = 1000;
  assumed.training_tokens_per_second = 500;
  const RunPlan plan = plan_run(published(), llama_2_13b(), sets(51'700), assumed);
  EXPECT_DOUBLE_EQ(plan.generation_seconds, 841);
  EXPECT_GE(plan.judging_seconds, 8410.0 / 500 * 60);  // max_rpm
  EXPECT_GT(plan.training_seconds, 0);
  assumed = {};
  assumed.gpu = true;
  EXPECT_LT(plan_run(published(), llama_2_13b(), sets(51'700), assumed).generation_seconds,
            plan_run(published(), llama_2_13b(), sets(51'700), {}).generation_seconds);
}

TEST(RunPlanTest, SaysAllOfItInWordsAndAsJson) {
  const RunPlan plan = plan_run(published(), llama_2_13b(), sets(51'700), {});
  for (const char* word : {"rounds", "calls", "cost", "memory", "time", "600.00 $", "8410"})
    EXPECT_THAT(run_plan_text(plan), HasSubstr(word));
  EXPECT_EQ(run_plan_json(plan).at("judge_calls"), 8410);
}

TEST(RunPlanTest, ThePublishedFileHasTheAuthorsValues) {
  const RunConfig config = published();
  EXPECT_EQ(config.train.objective.variant, "released");
  EXPECT_DOUBLE_EQ(config.train.objective.lambda, 1.1);
  EXPECT_DOUBLE_EQ(config.train.learning_rate, 4e-4);
  EXPECT_EQ(config.train.warmup_steps, 100);
  EXPECT_DOUBLE_EQ(config.train.downsample, 0.25);
  EXPECT_EQ(config.train.lora.r, 16);
  EXPECT_EQ(config.generation.sampling.max_new_tokens, 2048);
  EXPECT_EQ(config.prompt_template.name, "alpaca");
  EXPECT_EQ(config.pairwise.evaluator, "alpaca_eval_gpt4");
  const RunConfig again = parse_run_config(run_config_json(config), "frozen");
  EXPECT_EQ(run_config_json(again), run_config_json(config));
}

}  // namespace
}  // namespace cutd
