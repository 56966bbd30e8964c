// Commands that only read, on a folder whose daemon is gone: the same handlers over the store opened read-only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/command_outcome.h"
#include "support/rehearsal.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// One finished run, looked at by every test.
class ReadOnlyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<RehearsalFiles>();
    Rehearsal rehearsal(files_->data_dir());
    ASSERT_EQ(rehearsal.finish(rehearsal.runs().start(files_->config(), files_->files())), RunState::kCompleted);
  }
  static void TearDownTestSuite() { files_.reset(); }

  static CommandOutcome run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data-dir", files_->data_dir().string()});
    return run_command(arguments);
  }
  static Json json(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const CommandOutcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, kExitDone) << outcome.error;
    return parse_json(outcome.out, "output");
  }

  static std::unique_ptr<RehearsalFiles> files_;
};

std::unique_ptr<RehearsalFiles> ReadOnlyTest::files_;

TEST_F(ReadOnlyTest, ListsRuns) {
  EXPECT_THAT(run({"run", "list"}).out, AllOf(HasSubstr("tiny"), HasSubstr("completed")));
  const Json runs = json({"run", "list"});
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].at("rounds_completed"), 2);
}

TEST_F(ReadOnlyTest, ShowsARunWithItsRounds) {
  EXPECT_THAT(run({"run", "status", "1"}).out,
              AllOf(HasSubstr("run 1 (tiny) is completed"), HasSubstr("untrained"), HasSubstr("adapters")));
  EXPECT_EQ(json({"run", "status", "1"}).at("summary").at("rounds").size(), 2U);
  EXPECT_EQ(run({"run", "status", "9"}).code, kExitBadInput);
}

TEST_F(ReadOnlyTest, WritesTheReportOfARun) {
  const TemporaryDirectory folder;
  const std::string path = (folder / "report.html").string();
  EXPECT_EQ(json({"run", "status", "1", "--report", path}).at("report"), path);
  EXPECT_THAT(read_file(path), HasSubstr("<title>tiny, run 1</title>"));
}

TEST_F(ReadOnlyTest, ShowsRoundsAndTheirHistory) {
  EXPECT_EQ(json({"round", "list", "1"}).size(), 2U);
  EXPECT_THAT(run({"round", "show", "2"}).out, HasSubstr("promoted"));
  const Json events = json({"round", "events", "1"});
  EXPECT_EQ(events.front().at("to"), "created");
  EXPECT_EQ(events.back().at("to"), "completed");
}

TEST_F(ReadOnlyTest, ListsAdaptersOfAllRunsOrOne) {
  EXPECT_EQ(json({"adapter", "list"}).size(), 4U);  // a delta and a cumulative one a round
  EXPECT_EQ(json({"adapter", "list", "--run", "1"}).size(), 4U);
  EXPECT_EQ(json({"adapter", "list", "--run", "2"}).size(), 0U);
}

TEST_F(ReadOnlyTest, WatchingNeedsADaemon) {
  EXPECT_THAT(run({"run", "status", "1", "--follow"}).error, HasSubstr("cutd serve"));
}

std::string cumulative_adapter(const Json& adapters) {
  for (const Json& adapter : adapters) {
    if (adapter.at("kind") == "cumulative") return adapter.at("id").dump();
  }
  return "0";
}

TEST_F(ReadOnlyTest, ExportsAnAdapterByteForByteAndNeverOverAnother) {
  const TemporaryDirectory folder;
  const std::string id = cumulative_adapter(json({"adapter", "list"}));
  const std::string output = (folder / "mine").string();
  ASSERT_EQ(run({"adapter", "export", id, "--output", output}).code, kExitDone);
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"})
    EXPECT_TRUE(std::filesystem::exists(folder / "mine" / name));
  const CommandOutcome again = run({"adapter", "export", id, "--output", output});
  EXPECT_EQ(again.code, kExitUsage);
  EXPECT_THAT(again.error, HasSubstr(output));
}

TEST_F(ReadOnlyTest, DoesNotExportADamagedAdapter) {
  const TemporaryDirectory folder;
  const Json adapters = json({"adapter", "list"});
  const std::string path = adapters.back().at("path").get<std::string>() + "/adapter_model.safetensors";
  const std::string whole = read_file(path);
  std::ofstream(path, std::ios::app) << "x";
  const CommandOutcome outcome =
      run({"adapter", "export", adapters.back().at("id").dump(), "--output", (folder / "mine").string()});
  std::ofstream(path, std::ios::binary) << whole;
  EXPECT_EQ(outcome.code, kExitBadInput);
  EXPECT_THAT(outcome.error, HasSubstr("damaged"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace cutd
