#include "cutd/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/json.h"
#include "cutd/version.h"
#include "support/command_outcome.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
TEST(CommandLineTest, HelpNamesEveryCommandAndExitCode) {
  const CommandOutcome outcome = run_command({"--help"});
  EXPECT_EQ(outcome.code, kExitDone);
  for (const char* text : {"serve", "demo", "run", "round", "model", "adapter", "instructions", "text", "data",
                           "doctor", "version", "Examples:", "75", "130/143"}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
}

TEST(CommandLineTest, EveryCommandHasHelpAndAnExample) {
  const std::vector<std::vector<std::string>> commands = {{"serve"},
                                                          {"demo"},
                                                          {"doctor"},
                                                          {"run", "start"},
                                                          {"model", "import"},
                                                          {"adapter", "export"},
                                                          {"instructions", "import"},
                                                          {"data", "prepare"}};
  for (std::vector<std::string> command : commands) {
    command.push_back("--help");
    const CommandOutcome outcome = run_command(command);
    EXPECT_EQ(outcome.code, kExitDone) << command.front();
    EXPECT_THAT(outcome.out, HasSubstr("Example")) << command.front();
  }
}

TEST(CommandLineTest, EveryCommandOfTheContractExists) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> groups = {
      {"run", {"start", "list", "status", "pause", "resume", "cancel"}},
      {"round", {"list", "show", "events", "retry"}},
      {"model", {"import", "list"}},
      {"adapter", {"list", "export"}},
      {"text", {"encode", "decode", "render"}}};
  for (const auto& [group, commands] : groups) {
    for (const std::string& command : commands)
      EXPECT_EQ(run_command({group, command, "--help"}).code, kExitDone) << group << " " << command;
  }
}

TEST(CommandLineTest, AnUnknownCommandIsNamed) {
  const CommandOutcome outcome = run_command({"frobnicate"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.error, HasSubstr("\"cutd frobnicate\""));
  EXPECT_THAT(run_command({"run", "begin"}).error, HasSubstr("\"cutd run begin\""));
}

TEST(CommandLineTest, WrongUseIsExitCodeTwo) {
  EXPECT_EQ(run_command({}).code, kExitUsage);
  EXPECT_EQ(run_command({"run"}).code, kExitUsage);
  EXPECT_EQ(run_command({"run", "status"}).code, kExitUsage);           // no number
  EXPECT_EQ(run_command({"run", "status", "first"}).code, kExitUsage);  // no number either
  EXPECT_EQ(run_command({"version", "--loud"}).code, kExitUsage);
  EXPECT_EQ(run_command({"instructions", "import", "x", "--split", "test"}).code, kExitUsage);
  EXPECT_EQ(run_command({"demo", "--quick", "--config", "x.yaml"}).code, kExitUsage);
}

TEST(CommandLineTest, PrintsItsVersionAsTextAndAsJson) {
  EXPECT_THAT(run_command({"version"}).out, HasSubstr(version()));
  EXPECT_EQ(parse_json(run_command({"version", "--json"}).out, "output").at("version"), version());
}

TEST(CommandLineTest, AFolderWithoutAStoreIsNamedByCommandsThatRead) {
  const TemporaryDirectory folder;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run", "list"}, {"round", "show", "1"}, {"adapter", "list"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--data-dir", folder.path().string()});
    const CommandOutcome outcome = run_command(arguments);
    EXPECT_EQ(outcome.code, kExitBadInput);
    EXPECT_THAT(outcome.error, AllOf(HasSubstr(folder.path().string()), HasSubstr("cutd serve")));
  }
}

TEST(CommandLineTest, CommandsThatChangeSomethingSayHowToStartTheDaemon) {
  const TemporaryDirectory folder;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run", "pause", "1"}, {"run", "cancel", "1"}, {"round", "retry", "1"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--data-dir", folder.path().string()});
    const CommandOutcome outcome = run_command(arguments);
    EXPECT_EQ(outcome.code, kExitUnexpected);
    EXPECT_THAT(outcome.error, HasSubstr("cutd serve --data-dir " + folder.path().string()));
  }
}

TEST(CommandLineTest, AMistakeInAConfigurationIsNamedBeforeAnyoneIsAsked) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "mine.yaml") << "name: mine\nrounds: 3\n";
  const CommandOutcome outcome =
      run_command({"run", "start", "--config", (folder / "mine.yaml").string(), "--data-dir", folder.path().string()});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("mine.yaml"), HasSubstr("\"rounds\"")));
}

TEST(CommandLineTest, AFlagOfAConfigurationKeyIsCheckedLikeTheKey) {
  const CommandOutcome outcome = run_command({"demo", "--learning-rate", "fast"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.error, HasSubstr("train.learning_rate"));
}

}  // namespace
}  // namespace cutd
