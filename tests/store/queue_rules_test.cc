#include "store/queue_rules.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

using JudgmentLabel::kNegative;
using JudgmentLabel::kPositive;
using Kind = PeopleVerdict::Kind;

TEST(QueueRulesTest, RenewsALeaseUpToItsLongestLife) {
  EXPECT_EQ(lease_deadline(1000, 500, 5000), 1500);
  EXPECT_EQ(lease_deadline(4800, 500, 5000), 5000);
}

TEST(QueueRulesTest, TakesWhatWasLeftOverAReboot) {
  // An hour was left when the machine went down; its clock begins anew.
  EXPECT_EQ(deadline_after_restart(9'000'000, 5'400'000, 30'000, false), 30'000 + 3'600'000);
}

TEST(QueueRulesTest, KeepsADeadlineOverARestartOfTheDaemonAlone) {
  EXPECT_EQ(deadline_after_restart(9'000'000, 100'000, 5'400'000, true), 9'000'000);
}

TEST(QueueRulesTest, GivesPagesTimeToComeBackAfterARestart) {
  EXPECT_EQ(deadline_after_restart(1000, 900, 5000, true), 5000 + kGraceAfterRestartMs);
  EXPECT_EQ(deadline_after_restart(1000, 900, 5000, false), 5000 + kGraceAfterRestartMs);
}

TEST(QueueRulesTest, LetsTheMajorityStandWithItsFirstJudgment) {
  const PeopleVerdict verdict = verdict_of_people({kPositive, kNegative, kNegative}, "majority");
  EXPECT_EQ(verdict.kind, Kind::kLabel);
  EXPECT_EQ(verdict.index, 1u);
}

TEST(QueueRulesTest, SendsADrawToReview) {
  EXPECT_EQ(verdict_of_people({kPositive, kNegative}, "majority").kind, Kind::kReview);
}

TEST(QueueRulesTest, MakesNoLabelOfDisagreementWhereAllMustAgree) {
  EXPECT_EQ(verdict_of_people({kPositive, kPositive}, "all").kind, Kind::kLabel);
  const PeopleVerdict verdict = verdict_of_people({kPositive, kPositive, kNegative}, "all");
  EXPECT_EQ(verdict.kind, Kind::kNoLabel);
  EXPECT_EQ(verdict.reason, "people disagree: 2 satisfactory, 1 criticised");
}

TEST(QueueRulesTest, AsksAnOperatorWhereDisagreementIsAdjudicated) {
  EXPECT_EQ(verdict_of_people({kPositive, kPositive, kNegative}, "adjudicate").kind, Kind::kReview);
  EXPECT_EQ(verdict_of_people({kNegative}, "adjudicate").kind, Kind::kLabel);
}

TEST(QueueRulesTest, IsSilentAboutTheFirstGoldItemsAndThenCountsTheLastTwenty) {
  EXPECT_FALSE(too_careless(std::vector<bool>(6, false)));
  EXPECT_TRUE(too_careless(std::vector<bool>(7, false)));
  std::vector<bool> right(7, false);
  right.insert(right.end(), 13, true);
  EXPECT_TRUE(too_careless(right));  // 13 of 20
  right.push_back(true);
  EXPECT_FALSE(too_careless(right));  // 14 of the last 20
}

}  // namespace
}  // namespace cutd
