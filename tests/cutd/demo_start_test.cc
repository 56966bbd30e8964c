#include "cutd/demo_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "support/rehearsal.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DemoStartTest : public ::testing::Test {
 protected:
  DemoStart start(Rehearsal& rehearsal, const std::string& more = "") const {
    return start_or_continue(rehearsal.store(), rehearsal.runs(), files_.config(more), files_.files());
  }
  static RunState state_of(Rehearsal& rehearsal, RunId run) {
    return rehearsal.store().read([&](Reader& reader) { return find_run(reader, run)->state; });
  }

  const RehearsalFiles files_;
};

TEST_F(DemoStartTest, AnEmptyFolderGetsANewRun) {
  Rehearsal rehearsal(files_.data_dir());
  const DemoStart first = start(rehearsal);
  EXPECT_EQ(first.run, RunId{1});
  EXPECT_FALSE(first.finished);
  EXPECT_THAT(first.notes, IsEmpty());
}

TEST_F(DemoStartTest, AnUnfinishedRunGoesOn) {
  {
    Rehearsal rehearsal(files_.data_dir());
    start(rehearsal);
  }
  Rehearsal again(files_.data_dir());
  const DemoStart second = start(again);
  EXPECT_EQ(second.run, RunId{1});
  EXPECT_THAT(second.notes, Contains(HasSubstr("going on with run 1")));
}

TEST_F(DemoStartTest, AFinishedRunIsReusedWhole) {
  {
    Rehearsal rehearsal(files_.data_dir());
    EXPECT_EQ(rehearsal.finish(start(rehearsal).run), RunState::kCompleted);
  }
  Rehearsal again(files_.data_dir());
  const DemoStart second = start(again);
  EXPECT_EQ(second.run, RunId{1});
  EXPECT_TRUE(second.finished);
  EXPECT_THAT(second.notes, Contains(HasSubstr("reused")));
}

TEST_F(DemoStartTest, AChangedConfigurationStartsANewRunAndReusesTheBaseline) {
  {
    Rehearsal rehearsal(files_.data_dir());
    EXPECT_EQ(rehearsal.finish(start(rehearsal).run), RunState::kCompleted);
  }
  Rehearsal again(files_.data_dir());
  const DemoStart second = start(again, "objective: {alpha: 0}\n");
  EXPECT_EQ(second.run, RunId{2});
  EXPECT_FALSE(second.finished);
  EXPECT_THAT(second.notes, Contains(HasSubstr("untrained model's score")));
}

TEST_F(DemoStartTest, AnotherRunOfTheFolderWaitsMeanwhile) {
  Rehearsal rehearsal(files_.data_dir());
  start(rehearsal);
  const DemoStart second = start(rehearsal, "objective: {alpha: 0}\n");
  EXPECT_EQ(second.run, RunId{2});
  EXPECT_EQ(state_of(rehearsal, RunId{1}), RunState::kPaused);
  EXPECT_THAT(second.notes, Contains(HasSubstr("run 1 of this folder is paused")));
  const DemoStart back = start(rehearsal);
  EXPECT_EQ(back.run, RunId{1});
  EXPECT_EQ(state_of(rehearsal, RunId{1}), RunState::kActive);
  EXPECT_EQ(state_of(rehearsal, RunId{2}), RunState::kPaused);
}

TEST_F(DemoStartTest, ChangedInstructionsMakeAnotherExperiment) {
  Rehearsal rehearsal(files_.data_dir());
  start(rehearsal);
  std::ofstream(files_ / "train.jsonl", std::ios::app) << "{\"instruction\": \"Explain what a quill is used for.\"}\n";
  EXPECT_EQ(start(rehearsal).run, RunId{2});
  std::ofstream(files_ / "gate.jsonl", std::ios::app) << "{\"instruction\": \"Describe the use of one funnel.\"}\n";
  EXPECT_EQ(start(rehearsal).run, RunId{3});
}

TEST_F(DemoStartTest, WhereTheModelLiesDoesNotMatter) {
  Rehearsal rehearsal(files_.data_dir());
  start(rehearsal);
  std::filesystem::create_directories(files_ / "data/models");
  std::filesystem::copy(files_ / "model", files_ / "data/models/named", std::filesystem::copy_options::recursive);
  RunConfig config = files_.config();
  config.model = "named";
  EXPECT_EQ(start_or_continue(rehearsal.store(), rehearsal.runs(), config, files_.files()).run, RunId{1});
}

TEST_F(DemoStartTest, ACancelledRunIsLeftAlone) {
  Rehearsal rehearsal(files_.data_dir());
  rehearsal.runs().cancel(start(rehearsal).run, "test");
  EXPECT_EQ(start(rehearsal).run, RunId{2});
}

TEST_F(DemoStartTest, AFailedRunIsTriedAgain) {
  Rehearsal rehearsal(files_.data_dir());
  const RunId run = start(rehearsal).run;
  rehearsal.store().write([&](Writer& writer) {
    const RoundId round = create_round(writer, {run, std::nullopt, Json::object()});
    fail_round(writer, round, Phase::kCreated, "the engine died three times");
    move_run(writer, run, RunState::kActive, RunState::kFailed, "the engine died three times");
  });
  const DemoStart second = start(rehearsal);
  EXPECT_EQ(second.run, run);
  EXPECT_THAT(second.notes, Contains(HasSubstr("the engine died three times")));
  EXPECT_EQ(state_of(rehearsal, run), RunState::kActive);
  EXPECT_EQ(rehearsal.store().read([&](Reader& reader) { return list_rounds(reader, run).at(0).phase; }),
            Phase::kCreated);
}

TEST_F(DemoStartTest, ARunThatFailedAfterItsLastRoundIsTriedAgain) {
  Rehearsal rehearsal(files_.data_dir());
  const RunId run = start(rehearsal).run;
  rehearsal.store().write(
      [&](Writer& writer) { move_run(writer, run, RunState::kActive, RunState::kFailed, "final report"); });
  EXPECT_EQ(start(rehearsal).run, run);
  EXPECT_EQ(state_of(rehearsal, run), RunState::kActive);
}

TEST_F(DemoStartTest, AMissingModelIsNamedAndNothingIsStored) {
  Rehearsal rehearsal(files_.data_dir());
  RunConfig config = files_.config();
  config.model = "absent";
  try {
    start_or_continue(rehearsal.store(), rehearsal.runs(), config, files_.files());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("absent"));
  }
  EXPECT_THAT(rehearsal.store().read([](Reader& reader) { return list_runs(reader); }), IsEmpty());
}

}  // namespace
}  // namespace cutd
