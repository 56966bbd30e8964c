#include "round/judge_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/yaml.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

RunConfig config(double round_cap = 100, double request_cap = 1) {
  const Json llm = {{"base_url", "https://api.example.com/v1"},
                    {"model", "judge-1"},
                    {"price", {{"input", 1}, {"output", 2}}},
                    {"caps", {{"request", request_cap}, {"round", round_cap}, {"day", 1000}, {"total", 1000}}},
                    {"max_rpm", 60}};
  return parse_run_config({{"data",
                            {{"train", "t"},
                             {"gate", "g"},
                             {"report", "r"},
                             {"instructions_per_round", 10},
                             {"responses_per_instruction", 1}}},
                           {"generation", {{"max_new_tokens", 100}}},
                           {"annotators", {{{"name", "critic"}, {"kind", "llm"}, {"llm", llm}}}},
                           {"run", {{"rounds", 3}}}},
                          "test");
}

constexpr InstructionFigures kFigures{5, 7, 40, 200};

TEST(JudgeEstimateTest, CountsTheCallsOfARoundAndOfTheWholeRun) {
  const JudgeEstimate estimate = estimate_judging(config(), kFigures, std::nullopt);
  EXPECT_EQ(estimate.round.calls, 10 + 5);
  EXPECT_EQ(estimate.run.calls, 5 + 3 * (10 + 5) + 2 * 7);  // baseline, rounds, report of two models
  EXPECT_EQ(estimate.run.cost, estimate.call.cost * estimate.run.calls);
  EXPECT_DOUBLE_EQ(estimate.seconds_per_round, 15);  // 60 a minute
  EXPECT_THAT(estimate.warnings, IsEmpty());
}

TEST(JudgeEstimateTest, TakesWhatWasMeasuredInsteadOfAssumptions) {
  const JudgeEstimate estimate = estimate_judging(config(), kFigures, MeasuredUse{50, 300, 40});
  EXPECT_EQ(estimate.measured, 50);
  EXPECT_EQ(estimate.call.input_tokens, 300);
  EXPECT_EQ(estimate.call.output_tokens, 40);
  EXPECT_EQ(estimate.call.cost, 300 * 1 + 40 * 2);  // dollars a million are micro-dollars each
}

TEST(JudgeEstimateTest, ReservesMoreThanItExpects) {
  const JudgeEstimate estimate = estimate_judging(config(), kFigures, std::nullopt);
  EXPECT_GT(estimate.most_per_call, estimate.call.cost);
}

TEST(JudgeEstimateTest, NamesTheCapThatWillStopTheRun) {
  const JudgeEstimate estimate = estimate_judging(config(0.002), kFigures, MeasuredUse{50, 300, 40});
  ASSERT_THAT(estimate.warnings, SizeIs(1));
  EXPECT_THAT(estimate.warnings[0], HasSubstr("llm.caps.round"));
  EXPECT_THAT(estimate.warnings[0], HasSubstr("about 5 of the 15 calls"));
  EXPECT_THAT(estimate_judging(config(100, 0.000001), kFigures, std::nullopt).warnings[0],
              HasSubstr("llm.caps.request"));
}

TEST(JudgeEstimateTest, AnAnnotatorThatAsksNobodyCostsNothing) {
  RunConfig free = config();
  free.annotators = {AnnotatorConfig{}};
  const JudgeEstimate estimate = estimate_judging(free, kFigures, std::nullopt);
  EXPECT_EQ(estimate.run.cost, 0);
  EXPECT_EQ(estimate.run.calls, 64);
  EXPECT_THAT(judge_estimate_text(estimate), HasSubstr("free of charge"));
}

TEST(JudgeEstimateTest, TheShippedExamplesAreCompleteConfigurations) {
  for (const char* name : {"judge-openai.yaml", "judge-anthropic.yaml"}) {
    const RunConfig example =
        parse_run_config(read_yaml_file(std::filesystem::path(CUTD_SOURCE_DIR) / "examples" / name), name);
    const JudgeEstimate estimate = estimate_judging(example, {60, 60, 80, 400}, std::nullopt);
    EXPECT_THAT(estimate.warnings, IsEmpty()) << name;  // their caps let their own runs through
    EXPECT_GT(estimate.run.cost, 0);
  }
}

TEST(JudgeEstimateTest, TheShippedExamplesWithoutAPriceAreComplete) {
  const auto estimate_of = [](const std::string& name) {
    const RunConfig example =
        parse_run_config(read_yaml_file(std::filesystem::path(CUTD_SOURCE_DIR) / "examples" / name), name);
    return estimate_judging(example, {60, 60, 80, 400}, std::nullopt);
  };
  const JudgeEstimate webhook = estimate_of("judge-webhook.yaml");
  EXPECT_EQ(webhook.run.cost, 0);
  EXPECT_EQ(webhook.run.input_tokens + webhook.run.output_tokens, 0);
  EXPECT_THAT(judge_estimate_text(webhook), HasSubstr("house-judge asks http://127.0.0.1:9000/judge"));
  EXPECT_THAT(judge_estimate_text(webhook), Not(HasSubstr("$0")));
  const JudgeEstimate engine = estimate_of("judge-engine.yaml");
  EXPECT_EQ(engine.run.cost, 0);
  EXPECT_EQ(engine.run.calls, webhook.run.calls);
  EXPECT_THAT(judge_estimate_text(engine), HasSubstr("on this machine and free of charge"));
}

TEST(JudgeEstimateTest, ShowsSmallAmountsWhole) {
  EXPECT_EQ(dollars_text(0), "$0.00");
  EXPECT_EQ(dollars_text(42), "$0.000042");
  EXPECT_EQ(dollars_text(12'345'678), "$12.35");
}

}  // namespace
}  // namespace cutd
