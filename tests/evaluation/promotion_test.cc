#include "evaluation/promotion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "evaluation/stop_rule.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

const std::vector<GuardResult> kGuardsFine = {{"mean_words", 20, 38, {13, 57}, true}};
const std::vector<GuardResult> kGuardsBroken = {{"mean_words", 20, 38, {13, 57}, true},
                                                {"distinct_2", 0.4, 0.7, {0.56, 1}, false}};

TEST(PromotionTest, PromotesWhatIsSurelyBetter) {
  const PromotionVerdict verdict = decide_promotion({0.2, {0.1, 0.3}}, kGuardsFine, 0);
  EXPECT_TRUE(verdict.promote);
  EXPECT_THAT(verdict.reason, HasSubstr("+20.0 points (95 % interval +10.0 to +30.0"));
}

TEST(PromotionTest, RejectsWhatMayBeEqual) {
  EXPECT_FALSE(decide_promotion({0.05, {0, 0.1}}, kGuardsFine, 0).promote);
  EXPECT_FALSE(decide_promotion({0.05, {-0.02, 0.1}}, kGuardsFine, 0).promote);
}

TEST(PromotionTest, AllowsALossWithinTheMargin) {
  EXPECT_TRUE(decide_promotion({0.05, {-0.02, 0.1}}, kGuardsFine, 0.03).promote);
  EXPECT_FALSE(decide_promotion({0.05, {-0.03, 0.1}}, kGuardsFine, 0.03).promote);
}

TEST(PromotionTest, RejectsABetterScoreWhenAGuardLeftItsBand) {
  const PromotionVerdict verdict = decide_promotion({0.5, {0.4, 0.6}}, kGuardsBroken, 0);
  EXPECT_FALSE(verdict.promote);
  EXPECT_THAT(verdict.reason, HasSubstr("distinct_2"));
}

TEST(PromotionTest, RejectsADifferenceThatIsNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(decide_promotion({nan, {nan, nan}}, kGuardsFine, 0).promote);
}

RunFacts facts() { return {.rounds_finished = 1, .instructions_left = 100, .instructions_per_round = 96}; }
const StopRule kRule{.rounds = 3, .patience = 2, .budget = 1000, .end_wall_micros = 50};

TEST(StopRuleTest, GoesOnWhileNothingSpeaksAgainstIt) { EXPECT_EQ(stop_reason(kRule, facts()), std::nullopt); }

TEST(StopRuleTest, StopsAtEachLimitAndSaysWhich) {
  RunFacts count = facts();
  count.rounds_finished = 3;
  EXPECT_THAT(stop_reason(kRule, count).value(), HasSubstr("3 rounds"));
  EXPECT_EQ(stop_cause(stop_reason(kRule, count).value()), "rounds");
  RunFacts rejected = facts();
  rejected.consecutive_rejections = 2;
  EXPECT_THAT(stop_reason(kRule, rejected).value(), HasSubstr("patience"));
  EXPECT_EQ(stop_cause(stop_reason(kRule, rejected).value()), "patience");
  RunFacts spent = facts();
  spent.spent = 1000;
  EXPECT_THAT(stop_reason(kRule, spent).value(), HasSubstr("budget"));
  EXPECT_EQ(stop_cause(stop_reason(kRule, spent).value()), "budget");
  RunFacts late = facts();
  late.now_wall_micros = 50;
  EXPECT_THAT(stop_reason(kRule, late).value(), HasSubstr("end time"));
  EXPECT_EQ(stop_cause(stop_reason(kRule, late).value()), "end_time");
  RunFacts dry = facts();
  dry.instructions_left = 95;
  EXPECT_THAT(stop_reason(kRule, dry).value(), HasSubstr("95"));
  EXPECT_EQ(stop_cause(stop_reason(kRule, dry).value()), "instructions");
}

TEST(StopRuleTest, SpeaksOfARunOfOneRound) {
  RunFacts count = facts();
  count.rounds_finished = 1;
  EXPECT_EQ(stop_reason(StopRule{.rounds = 1}, count), "its one round is done");
  EXPECT_EQ(stop_cause("its one round is done"), "rounds");
}

TEST(StopRuleTest, OtherReasonsAreNoStopRule) { EXPECT_EQ(stop_cause("asked by the operator"), ""); }

TEST(StopRuleTest, TakesZeroPatienceAsNever) {
  RunFacts rejected = facts();
  rejected.consecutive_rejections = 50;
  EXPECT_EQ(stop_reason(StopRule{.rounds = 99, .patience = 0}, rejected), std::nullopt);
}

TEST(StopRuleTest, TakesZeroBudgetAndEndTimeAsNone) {
  RunFacts far = facts();
  far.spent = 1'000'000;
  far.now_wall_micros = 1'000'000;
  EXPECT_EQ(stop_reason(StopRule{.rounds = 3}, far), std::nullopt);
}

}  // namespace
}  // namespace cutd
