// Promise P36: a judge that has changed is told from a model that has become better.
#include "evaluation/judging_drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> names(const std::vector<JudgingAlarm>& alarms) {
  std::vector<std::string> names;
  for (const JudgingAlarm& alarm : alarms) names.push_back(alarm.name);
  return names;
}

std::vector<std::string> shifts(std::int64_t parent, std::int64_t of, std::int64_t round, std::int64_t of_round) {
  return names(shift_alarms(wilson_share(parent, of), wilson_share(round, of_round), {}));
}

TEST(ShiftTest, TwoSharesDifferWithNewcombesInterval) {
  // Newcombe 1998, table II, (a): 56/70 against 48/80, method 10: 0.2 (0.0524 to 0.3339).
  const ShareDifference difference = share_difference(wilson_share(48, 80), wilson_share(56, 70));
  EXPECT_NEAR(difference.value, 0.2, 1e-12);
  EXPECT_NEAR(difference.interval.low, 0.0524, 5e-5);
  EXPECT_NEAR(difference.interval.high, 0.3339, 5e-5);
  EXPECT_EQ(share_difference(wilson_share(0, 0), wilson_share(1, 2)).interval.low, -1);
}

TEST(ShiftTest, LetsTheSameModelSayTheSameOfItself) {
  EXPECT_THAT(shifts(53, 200, 32, 96), IsEmpty());      // the demo's untrained model
  EXPECT_THAT(shifts(143, 200, 72, 96), IsEmpty());     // and after its first round
  EXPECT_THAT(shifts(214, 300, 713, 1000), IsEmpty());  // the authors' first round
  EXPECT_THAT(shifts(10, 40, 22, 40), IsEmpty());       // chance
}

TEST(ShiftTest, HoldsAJudgeThatTurnedLenientOrStrict) {
  EXPECT_THAT(shifts(214, 300, 950, 1000), ElementsAre("positive_shift"));  // 71.3 % to 95 %, inside of 1 to 98 %
  EXPECT_THAT(shifts(53, 200, 91, 96), ElementsAre("positive_shift"));
  EXPECT_THAT(shifts(53, 200, 96, 96), ElementsAre("positive_shift"));  // "Perfect." to everything
  EXPECT_THAT(shifts(214, 300, 400, 1000), ElementsAre("positive_shift"));
  EXPECT_THAT(shift_alarms(wilson_share(53, 200), wilson_share(91, 96), {})[0].reason,
              AllOf(HasSubstr("91 of 96"), HasSubstr("53 of 200"), HasSubstr("the judge has changed")));
}

TEST(ShiftTest, HasNothingToSayAboutFew) {
  EXPECT_THAT(shifts(0, 19, 100, 100), IsEmpty());
  EXPECT_THAT(shifts(0, 100, 19, 19), IsEmpty());
}

// `equal` of `count` verdicts alike, half of the first annotator's satisfactory.
AnnotatorAgreement agreement(int count, int equal, const char* second = "person") {
  std::vector<VerdictPair> pairs;
  for (int i = 0; i < count; ++i) pairs.push_back({i % 2 == 0, (i % 2 == 0) == (i < equal)});
  return measure_agreement("judge", second, pairs);
}

std::vector<std::string> drops(const AnnotatorAgreement& before, const AnnotatorAgreement& now) {
  return names(agreement_drop_alarms({before}, {now}, {}));
}

TEST(AgreementDropTest, HoldsAJudgeWhoLeavesItsSecond) {
  EXPECT_THAT(drops(agreement(100, 95), agreement(100, 70)), ElementsAre("agreement_drop"));  // 0.9 to 0.4
  EXPECT_THAT(names(agreement_alarms({agreement(100, 70)}, {})), IsEmpty());                  // above the floor
  EXPECT_THAT(drops(agreement(100, 95), agreement(100, 85)), IsEmpty());
  EXPECT_THAT(drops(agreement(100, 70), agreement(100, 95)), IsEmpty());  // a rise
}

TEST(AgreementDropTest, DoesNotTakeChanceOrOthersForADrop) {
  EXPECT_THAT(drops(agreement(20, 18), agreement(20, 14)), IsEmpty());   // 0.8 to 0.4, of twenty
  EXPECT_THAT(drops(agreement(19, 19), agreement(100, 50)), IsEmpty());  // too few before
  EXPECT_THAT(drops(agreement(100, 95), agreement(100, 60, "third")), IsEmpty());
  const AnnotatorAgreement alike = measure_agreement("judge", "person", std::vector<VerdictPair>(100, {true, true}));
  EXPECT_THAT(drops(alike, agreement(100, 70)), IsEmpty());  // all satisfactory: no agreement was measured
}

// Of `satisfactory` and `criticised` responses, how many are judged the other way now.
std::vector<CanaryAnswer> anchors(int satisfactory, int now_criticised, int criticised, int now_satisfactory) {
  std::vector<CanaryAnswer> answers;
  for (int i = 0; i < satisfactory; ++i) answers.push_back({true, false, i >= now_criticised});
  for (int i = 0; i < criticised; ++i) answers.push_back({false, false, i < now_satisfactory});
  return answers;
}

std::vector<JudgingAlarm> anchor_alarms_of(const std::vector<CanaryAnswer>& answers) {
  return anchor_alarms(measure_anchors(answers), {});
}

TEST(AnchorsTest, LetAJudgeAloneThatSaysWhatItSaid) {
  EXPECT_THAT(anchor_alarms_of({}), IsEmpty());
  EXPECT_THAT(anchor_alarms_of(anchors(20, 0, 20, 0)), IsEmpty());
  EXPECT_THAT(anchor_alarms_of(anchors(20, 3, 20, 4)), IsEmpty());  // no model judges twice quite alike
  EXPECT_THAT(anchor_alarms_of(anchors(0, 0, 40, 0)), IsEmpty());
}

TEST(AnchorsTest, HoldAJudgeThatContradictsItself) {
  for (const auto& changed : {anchors(20, 1, 20, 19), anchors(20, 0, 20, 20), anchors(20, 19, 20, 0),
                              anchors(35, 0, 5, 4), anchors(20, 10, 20, 10)})
    EXPECT_THAT(names(anchor_alarms_of(changed)), ElementsAre("anchors"));
  EXPECT_THAT(anchor_alarms_of(anchors(20, 1, 20, 19))[0].reason,
              AllOf(HasSubstr("19 of 20"), HasSubstr("the judge, not the model"), HasSubstr("check its model")));
}

TEST(AnchorsTest, ConfirmNothingWhereTheyWereNotJudged) {
  std::vector<CanaryAnswer> answers = anchors(20, 0, 20, 0);
  for (std::size_t i = 0; i < 21; ++i) answers[i].judged.reset();
  EXPECT_THAT(names(anchor_alarms_of(answers)), ElementsAre("anchors"));
  answers[0].judged = true;
  EXPECT_THAT(anchor_alarms_of(answers), IsEmpty());
}

TEST(AnchorsTest, AreHalfOfEachKindAsFarAsThereAre) {
  const auto criticised_of = [](int all, int criticised, std::size_t count) {
    std::vector<bool> perfect(static_cast<std::size_t>(all), true);
    for (int i = 0; i < criticised; ++i) perfect[static_cast<std::size_t>(i)] = false;
    const std::vector<std::size_t> chosen = choose_anchors(perfect, count, 7);
    EXPECT_THAT(chosen, SizeIs(std::min(count, perfect.size())));
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    EXPECT_EQ(std::adjacent_find(chosen.begin(), chosen.end()), chosen.end());
    return std::count_if(chosen.begin(), chosen.end(), [&](std::size_t i) { return !perfect[i]; });
  };
  EXPECT_EQ(criticised_of(200, 147, 40), 20);
  EXPECT_EQ(criticised_of(200, 5, 40), 5);
  EXPECT_EQ(criticised_of(200, 195, 40), 35);
  EXPECT_EQ(criticised_of(20, 10, 40), 10);
  EXPECT_EQ(criticised_of(200, 0, 40), 0);
  const std::vector<bool> perfect(100, true);
  EXPECT_EQ(choose_anchors(perfect, 5, 7), choose_anchors(perfect, 5, 7));
  EXPECT_NE(choose_anchors(perfect, 5, 7), choose_anchors(perfect, 5, 8));
}

}  // namespace
}  // namespace cutd
