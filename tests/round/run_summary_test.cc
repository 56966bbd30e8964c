#include "round/run_summary.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/rehearsal.h"

namespace cutd {
namespace {

// One whole run, looked at by every test.
class RunSummaryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<RehearsalFiles>();
    Rehearsal rehearsal(files_->data_dir());
    const RunId run = rehearsal.runs().start(files_->config(), files_->files());
    before_ = std::make_unique<RunSummary>(summary_of(rehearsal, run));
    ASSERT_EQ(rehearsal.finish(run), RunState::kCompleted);
    summary_ = std::make_unique<RunSummary>(summary_of(rehearsal, run));
  }
  static void TearDownTestSuite() {
    files_.reset();
    before_.reset();
    summary_.reset();
  }
  static RunSummary summary_of(Rehearsal& rehearsal, RunId run) {
    return rehearsal.store().read([&](Reader& reader) { return summarize_run(reader, run, files_->data_dir()); });
  }

  static std::unique_ptr<RehearsalFiles> files_;
  static std::unique_ptr<RunSummary> before_;
  static std::unique_ptr<RunSummary> summary_;
};

std::unique_ptr<RehearsalFiles> RunSummaryTest::files_;
std::unique_ptr<RunSummary> RunSummaryTest::before_;
std::unique_ptr<RunSummary> RunSummaryTest::summary_;

TEST_F(RunSummaryTest, HoldsBaselineRoundsAndTheReportSet) {
  ASSERT_TRUE(summary_->baseline);
  EXPECT_EQ(summary_->baseline->share.count, 8);
  ASSERT_EQ(summary_->rounds.size(), 2U);
  ASSERT_TRUE(summary_->report_untrained && summary_->report_kept);
  EXPECT_EQ(summary_->report_kept->share.count, 6);
  EXPECT_EQ(summary_->state, RunState::kCompleted);
}

TEST_F(RunSummaryTest, ARoundIsComparedWithTheModelItStartedFrom) {
  const RoundSummary& first = summary_->rounds[0];
  const RoundSummary& second = summary_->rounds[1];
  ASSERT_TRUE(first.gate && first.gate_parent && second.gate && second.gate_parent && second.difference);
  EXPECT_EQ(first.gate_parent->evaluation, summary_->baseline->evaluation);
  EXPECT_EQ(second.gate_parent->evaluation, first.gate->evaluation);  // the first one was promoted
  EXPECT_DOUBLE_EQ(second.difference->value, second.gate->share.value - first.gate->share.value);
  EXPECT_EQ(first.guard_results.size(), 3U);
}

TEST_F(RunSummaryTest, CountsWhatWasJudgedAndTrained) {
  const RoundSummary& round = summary_->rounds[0];
  EXPECT_EQ(round.responses, 6);
  EXPECT_EQ(round.positives + round.negatives, 6);
  EXPECT_EQ(round.judgments_failed, 0);
  EXPECT_GT(round.training_examples, 0);
  EXPECT_EQ(round.training_steps, (round.training_examples + 1) / 2);
  ASSERT_TRUE(round.first_loss && round.last_loss && round.detected_fraction);
}

TEST_F(RunSummaryTest, AdapterPathsAreAbsoluteAndThere) {
  for (const RoundSummary& round : summary_->rounds) {
    ASSERT_TRUE(round.adapter);
    EXPECT_TRUE(std::filesystem::path(*round.adapter).is_absolute());
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(*round.adapter) / "adapter_model.safetensors"));
  }
}

// Other programs read this line (issue 3): its keys and types are a contract.
TEST_F(RunSummaryTest, JsonKeepsTheContract) {
  const Json json = run_summary_json(*summary_);
  EXPECT_TRUE(json.at("baseline").at("score").is_number());
  EXPECT_EQ(json.at("baseline").at("interval").size(), 2U);
  EXPECT_TRUE(json.at("seconds").is_number());
  ASSERT_EQ(json.at("rounds").size(), 2U);
  for (const Json& round : json.at("rounds")) {
    EXPECT_TRUE(round.at("score").is_number());
    EXPECT_LE(round.at("interval").at(0).get<double>(), round.at("score").get<double>());
    EXPECT_GE(round.at("interval").at(1).get<double>(), round.at("score").get<double>());
    EXPECT_EQ(round.at("promoted"), true);
    EXPECT_TRUE(round.at("adapter").is_string());
  }
  EXPECT_EQ(json.at("state"), "completed");
}

TEST_F(RunSummaryTest, WhatIsNotThereYetIsNull) {
  const Json json = run_summary_json(*before_);
  EXPECT_TRUE(json.at("baseline").is_null());
  EXPECT_EQ(json.at("rounds"), Json::array());
  EXPECT_TRUE(json.at("report_kept").is_null());
  EXPECT_EQ(json.at("state"), "active");
  RunSummary begun = *before_;
  begun.rounds.emplace_back();
  const Json round = run_summary_json(begun).at("rounds").at(0);
  for (const char* key : {"score", "interval", "adapter", "outcome", "difference", "first_loss", "detected_fraction"})
    EXPECT_TRUE(round.at(key).is_null()) << key;
  EXPECT_EQ(round.at("promoted"), false);
}

TEST_F(RunSummaryTest, AnUnknownRunIsNotFound) {
  Rehearsal rehearsal(files_->data_dir());
  try {
    summary_of(rehearsal, RunId{99});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace cutd
