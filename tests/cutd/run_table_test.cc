#include "cutd/run_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "round/run_summary.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ScoreSummary score(double value, double low, double high) {
  ScoreSummary score;
  score.share = {0, 200, value, {low, high}};
  score.guards = {24.04, 0.783, 2.61};
  score.ended = 0.9;
  return score;
}

RunSummary summary_of_two_rounds() {
  RunSummary summary;
  summary.id = RunId{1};
  summary.name = "demo";
  summary.state = RunState::kCompleted;
  summary.baseline = score(0.21, 0.16, 0.27);
  summary.report_untrained = score(0.2, 0.133, 0.289);
  summary.report_kept = score(0.66, 0.563, 0.745);
  RoundSummary first;
  first.number = 1;
  first.phase = Phase::kCompleted;
  first.outcome = Outcome::kPromoted;
  first.responses = 96;
  first.training_examples = 44;
  first.first_loss = 2.5;
  first.last_loss = 1.25;
  first.detected_fraction = 0.187;
  first.gate = score(0.665, 0.597, 0.727);
  first.difference = PairedDifference{0.455, {0.36, 0.545}};
  first.guard_results = {{"mean_words", 24, 38, {13, 57}, true},
                         {"distinct_2", 0.78, 0.7, {0.56, 1.05}, true},
                         {"perplexity", 2.61, 2.19, {0.7, 2.5}, false}};
  first.adapter = "/data/adapters/demo-1-r1-0123456789ab";
  RoundSummary second;
  second.number = 2;
  second.phase = Phase::kTraining;
  second.responses = 96;
  summary.rounds = {first, second};
  return summary;
}

TEST(RunTableTest, ShowsTheUntrainedModelThenEveryRound) {
  EXPECT_EQ(rounds_table(run_summary_json(summary_of_two_rounds())),
            "round   score  95 % interval  difference to parent    outcome    examples  loss            detected  "
            "words  distinct-2  perplexity\n"
            "    0  21.0 %      16.0-27.0  -                       untrained  -         -                      -   "
            "24.0        0.78  2.61\n"
            "    1  66.5 %      59.7-72.7  +45.5 (+36.0 to +54.5)  promoted   44 of 96  2.500 to 1.250    18.7 %   "
            "24.0        0.78  2.61 !\n"
            "    2       -              -  -                       training   0 of 96   -                      -      "
            "-           -  -\n");
}

TEST(RunTableTest, ShowsWhatTheRunBuildsOnBesideTheUntrainedModel) {
  RunSummary summary = summary_of_two_rounds();
  summary.start = StartSummary{AdapterId{7}, RunId{1}, 3, "abc"};
  summary.rounds[0].gate_parent = score(0.5, 0.43, 0.57);
  const std::string table = rounds_table(run_summary_json(summary));
  const std::size_t untrained = table.find("untrained");
  const std::size_t start = table.find("0  50.0 %      43.0-57.0  -                       start");
  ASSERT_NE(start, std::string::npos) << table;
  EXPECT_LT(untrained, start);
  EXPECT_LT(start, table.find("promoted"));
  const Json run = {{"id", 2},      {"name", "night"},  {"state", "active"},
                    {"reason", ""}, {"created_at", ""}, {"summary", run_summary_json(summary)}};
  EXPECT_NE(run_text(run).find("it builds on adapter 7 (round 3 of run 1)"), std::string::npos) << run_text(run);
}

TEST(RunTableTest, SaysWhoseScoreLeavesAnswersOut) {
  RunSummary summary = summary_of_two_rounds();
  EXPECT_THAT(rounds_table(run_summary_json(summary)), Not(HasSubstr("no judgment")));
  summary.rounds[0].gate->share.count = 198;
  summary.rounds[0].gate->missing = 2;
  EXPECT_THAT(rounds_table(run_summary_json(summary)),
              HasSubstr("\nround 1: 2 of 200 answers have no judgment; its score leaves them out\n"));
}

TEST(RunTableTest, GivesTheReportSetOnceBothModelsAreScored) {
  RunSummary summary = summary_of_two_rounds();
  EXPECT_EQ(report_line(run_summary_json(summary)),
            "report set (200 instructions that no decision read): untrained model 20.0 % (13.3-28.9), kept model 66.0 "
            "% (56.3-74.5)\n");
  summary.report_kept.reset();
  EXPECT_EQ(report_line(run_summary_json(summary)), "");
}

TEST(RunTableTest, ListsTheAdaptersThatExist) {
  EXPECT_EQ(adapter_lines(run_summary_json(summary_of_two_rounds())),
            "round 1  /data/adapters/demo-1-r1-0123456789ab\n");
}

TEST(RunTableTest, ARunThatHasJustBegunSaysSo) {
  RunSummary summary;
  EXPECT_EQ(rounds_table(run_summary_json(summary)), "no round has begun yet\n");
}

TEST(RunTableTest, DescribesAWholeRun) {
  const Json run = {{"id", 1},
                    {"name", "demo"},
                    {"state", "failed"},
                    {"reason", "round 2: out of memory"},
                    {"created_at", "2026-11-24T03:51:07Z"},
                    {"summary", run_summary_json(summary_of_two_rounds())}};
  const std::string text = run_text(run);
  EXPECT_THAT(text, HasSubstr("run 1 (demo) is failed: round 2: out of memory, started 2026-11-24T03:51:07Z"));
  EXPECT_THAT(text, HasSubstr("report set"));
  EXPECT_THAT(text, HasSubstr("adapters"));
  EXPECT_THAT(text, Not(HasSubstr("null")));
}

}  // namespace
}  // namespace cutd
