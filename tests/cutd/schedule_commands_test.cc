#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/json.h"
#include "support/command_outcome.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

class ScheduleCommandsTest : public ::testing::Test {
 protected:
  ScheduleCommandsTest() {
    write_file_durably(
        folder_ / "schedules.yaml",
        "schedules:\n  - {name: night, config: run.yaml, at: \"02:00\", zone: Europe/Berlin, until: \"06:00\"}\n");
  }
  CommandOutcome command(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data-dir", folder_.path().string()});
    return run_command(arguments);
  }
  TemporaryDirectory folder_;
};

TEST_F(ScheduleCommandsTest, NextTellsTheTimesInTheZone) {
  const CommandOutcome done = command({"schedule", "next", "night", "--count", "3", "--json"});
  ASSERT_EQ(done.code, 0) << done.error;
  const Json list = parse_json(done.out, "output");
  ASSERT_EQ(list.size(), 3U);
  for (const Json& row : list) EXPECT_THAT(row.at("local").get<std::string>(), HasSubstr("02:00:00 CE"));
}

TEST_F(ScheduleCommandsTest, ListWorksWithoutADaemon) {
  const CommandOutcome done = command({"schedule", "list"});
  ASSERT_EQ(done.code, 0) << done.error;
  EXPECT_THAT(done.out, HasSubstr("night"));
}

TEST_F(ScheduleCommandsTest, ListTellsWhatBecameOfTheLastTimeAndWhatCyclesBuildOn) {
  write_file_durably(folder_ / "schedules.state.json", R"({"night": {"handled": 7200, "queued": 0, "history": [
    {"due": 7200, "what": "passed", "run": 0, "reason": "another run was still going", "at": 7201}]}})");
  EXPECT_THAT(command({"schedule", "list"}).out,
              HasSubstr("1970-01-01T02:00:00Z passed (another run was still going)"));
  const Json list = parse_json(command({"schedule", "list", "--json"}).out, "output");
  EXPECT_EQ(list.at(0).at("start_from"), "kept");
  EXPECT_EQ(list.at(0).at("history").at(0).at("what"), "passed");
}

TEST_F(ScheduleCommandsTest, EachTimeHasTheEndThatComesAfterIt) {
  const Json list = parse_json(command({"schedule", "next", "--count", "2", "--json"}).out, "output");
  ASSERT_EQ(list.size(), 2U);
  for (const Json& row : list) EXPECT_GT(row.at("until").get<std::string>(), row.at("at").get<std::string>());
  EXPECT_LT(list.at(0).at("until").get<std::string>(), list.at(1).at("at").get<std::string>());
}

TEST_F(ScheduleCommandsTest, RunNamesAConfigurationThatIsNotThereAndKnowsTheStartPoints) {
  EXPECT_THAT(command({"schedule", "run", "night"}).error, HasSubstr("run.yaml"));
  write_file_durably(folder_ / "schedules.yaml",
                     "schedules:\n  - {name: night, config: run.yaml, at: \"02:00\", start_from: \"-1\"}\n");
  const CommandOutcome refused = command({"schedule", "run", "night"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.error, HasSubstr("schedules.yaml: schedules[0]: key \"start_from\" must be base, kept or"));
}

TEST_F(ScheduleCommandsTest, RefusesAnUnknownNameAndAMissingFile) {
  EXPECT_THAT(command({"schedule", "next", "noon"}).error, HasSubstr("noon"));
  EXPECT_THAT(command({"schedule", "list", "--schedules", "/nowhere.yaml"}).error, HasSubstr("/nowhere.yaml"));
}

}  // namespace
}  // namespace cutd
