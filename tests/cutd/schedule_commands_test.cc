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

TEST_F(ScheduleCommandsTest, RefusesAnUnknownNameAndAMissingFile) {
  EXPECT_THAT(command({"schedule", "next", "noon"}).error, HasSubstr("noon"));
  EXPECT_THAT(command({"schedule", "list", "--schedules", "/nowhere.yaml"}).error, HasSubstr("/nowhere.yaml"));
}

}  // namespace
}  // namespace cutd
