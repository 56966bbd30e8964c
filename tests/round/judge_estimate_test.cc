#include "round/judge_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/yaml.h"
#include "support/folders.h"

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

constexpr InstructionFigures kFigures{5, 7, 0, 40, 200};

JudgeEstimate only(const RunConfig& config, const InstructionFigures& figures,
                   const std::optional<MeasuredUse>& measured = {}) {
  std::map<std::string, MeasuredUse> uses;
  if (measured) uses.emplace(config.annotators.front().name, *measured);
  return estimate_judging(config, figures, uses).annotators.at(0);
}

TEST(JudgeEstimateTest, CountsTheCallsOfARoundAndOfTheWholeRun) {
  const JudgeEstimate estimate = only(config(), kFigures);
  EXPECT_EQ(estimate.round.calls, 10 + 5);
  EXPECT_EQ(estimate.run.calls, 5 + 3 * (10 + 5) + 2 * 7);  // baseline, rounds, report of two models
  EXPECT_EQ(estimate.run.cost, estimate.call.cost * estimate.run.calls);
  EXPECT_DOUBLE_EQ(estimate.seconds_per_round, 15);  // 60 a minute
  EXPECT_THAT(estimate.warnings, IsEmpty());
}

TEST(JudgeEstimateTest, NamesWhatASuddenRiseWouldCostBesideTheSums) {
  RunConfig some = config();
  some.alarms.anchors = 3;
  EXPECT_EQ(only(some, kFigures).anchors.calls, 3);
  EXPECT_EQ(only(some, kFigures).run.calls, only(config(), kFigures).run.calls);
  some.alarms.anchors = 40;
  EXPECT_EQ(only(some, kFigures).anchors.calls, 5);  // all of the gate set
  EXPECT_THAT(run_estimate_text(estimate_judging(some, kFigures, {})), HasSubstr("alarms.anchors"));
  some.alarms.anchors = 0;
  EXPECT_THAT(run_estimate_text(estimate_judging(some, kFigures, {})), Not(HasSubstr("alarms.anchors")));
}

TEST(JudgeEstimateTest, TakesWhatWasMeasuredInsteadOfAssumptions) {
  const JudgeEstimate estimate = only(config(), kFigures, MeasuredUse{50, 300, 40});
  EXPECT_EQ(estimate.measured, 50);
  EXPECT_EQ(estimate.call.input_tokens, 300);
  EXPECT_EQ(estimate.call.output_tokens, 40);
  EXPECT_EQ(estimate.call.cost, 300 * 1 + 40 * 2);  // dollars a million are micro-dollars each
}

TEST(JudgeEstimateTest, ReservesMoreThanItExpects) {
  const JudgeEstimate estimate = only(config(), kFigures);
  EXPECT_GT(estimate.most_per_call, estimate.call.cost);
}

TEST(JudgeEstimateTest, NamesTheCapThatWillStopTheRun) {
  const JudgeEstimate estimate = only(config(0.002), kFigures, MeasuredUse{50, 300, 40});
  ASSERT_THAT(estimate.warnings, SizeIs(1));
  EXPECT_THAT(estimate.warnings[0], HasSubstr("llm.caps.round"));
  EXPECT_THAT(estimate.warnings[0], HasSubstr("about 5 of the 15 calls"));
  EXPECT_THAT(only(config(100, 0.000001), kFigures).warnings[0], HasSubstr("llm.caps.request"));
}

TEST(JudgeEstimateTest, AnAnnotatorThatAsksNobodyCostsNothing) {
  RunConfig free = config();
  free.annotators = {AnnotatorConfig{}};
  const JudgeEstimate estimate = only(free, kFigures);
  EXPECT_EQ(estimate.run.cost, 0);
  EXPECT_EQ(estimate.run.calls, 64);
  EXPECT_THAT(run_estimate_text(estimate_judging(free, kFigures, {})), HasSubstr("free of charge"));
}

// A free rule in front of a paid model: what it costs is no secret of its place in the list.
RunConfig quorum(const std::string& rule) {
  RunConfig several = config();
  AnnotatorConfig rules;
  rules.name = "rules";
  several.annotators.insert(several.annotators.begin(), rules);
  several.quorum.rule = rule;
  several.quorum.members = {{}, {}};
  return several;
}

TEST(JudgeEstimateTest, SumsOverEveryAnnotatorOfAQuorum) {
  const RunEstimate estimate = estimate_judging(quorum("weighted"), kFigures, {{"critic", {50, 300, 40}}});
  ASSERT_THAT(estimate.annotators, SizeIs(2));
  EXPECT_FALSE(estimate.upper_bound);
  EXPECT_EQ(estimate.run.calls, 2 * 64);
  EXPECT_EQ(estimate.run.cost, 64 * (300 * 1 + 40 * 2));
  EXPECT_EQ(run_estimate_json(estimate).at("run").at("cost"), estimate.run.cost);
  EXPECT_THAT(run_estimate_text(estimate), HasSubstr("critic asks judge-1"));
  EXPECT_THAT(run_estimate_text(estimate), HasSubstr("quorum of rules, critic together:"));
}

TEST(JudgeEstimateTest, SaysThatAChainCostsAtMostTheSum) {
  const RunEstimate estimate = estimate_judging(quorum("fallback"), kFigures, {});
  EXPECT_TRUE(estimate.upper_bound);
  EXPECT_GT(estimate.run.cost, 0);
  EXPECT_THAT(run_estimate_text(estimate), HasSubstr("together, at most (the later ones are asked only where"));
  RunConfig refereed = quorum("weighted");
  refereed.quorum.members[1].referee = true;
  EXPECT_TRUE(asks_fewer(refereed));
}

TEST(JudgeEstimateTest, CountsCanariesAndTheModelThatARunBuildsOn) {
  InstructionFigures figures = kFigures;
  figures.canary_count = canaries_of_round(100, config().alarms);
  EXPECT_EQ(figures.canary_count, 20);
  EXPECT_EQ(canaries_of_round(7, config().alarms), 7);
  EXPECT_EQ(only(config(), figures).round.calls, 10 + 5 + 20);
  RunConfig later = config();
  later.limits.start_from = "kept";
  EXPECT_EQ(only(later, kFigures).run.calls, 64 + 5);
}

TEST(JudgeEstimateTest, TheShippedExamplesAreCompleteConfigurations) {
  for (const char* name : {"judge-openai.yaml", "judge-anthropic.yaml"}) {
    const RunConfig example = parse_run_config(read_yaml_file(source_folder() / "examples" / name), name);
    const JudgeEstimate estimate = only(example, {60, 60, 0, 80, 400});
    EXPECT_THAT(estimate.warnings, IsEmpty()) << name;  // their caps let their own runs through
    EXPECT_GT(estimate.run.cost, 0);
  }
}

TEST(JudgeEstimateTest, TheShippedExamplesWithoutAPriceAreComplete) {
  const auto all_of = [](const std::string& name) {
    const RunConfig example = parse_run_config(read_yaml_file(source_folder() / "examples" / name), name);
    return estimate_judging(example, {60, 60, 0, 80, 400}, {});
  };
  const auto estimate_of = [&](const std::string& name) { return all_of(name).annotators.at(0); };
  const JudgeEstimate webhook = estimate_of("judge-webhook.yaml");
  EXPECT_EQ(webhook.run.cost, 0);
  EXPECT_EQ(webhook.run.input_tokens + webhook.run.output_tokens, 0);
  EXPECT_THAT(run_estimate_text(all_of("judge-webhook.yaml")),
              HasSubstr("house-judge asks http://127.0.0.1:9000/judge"));
  EXPECT_THAT(run_estimate_text(all_of("judge-webhook.yaml")), Not(HasSubstr("$0")));
  const JudgeEstimate engine = estimate_of("judge-engine.yaml");
  EXPECT_EQ(engine.run.cost, 0);
  EXPECT_EQ(engine.run.calls, webhook.run.calls);
  EXPECT_THAT(run_estimate_text(all_of("judge-engine.yaml")), HasSubstr("on this machine and free of charge"));
}

TEST(JudgeEstimateTest, ShowsSmallAmountsWhole) {
  EXPECT_EQ(dollars_text(0), "$0.00");
  EXPECT_EQ(dollars_text(42), "$0.000042");
  EXPECT_EQ(dollars_text(12'345'678), "$12.35");
}

}  // namespace
}  // namespace cutd
