#include "cutd/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "core/json.h"
#include "cutd/version.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStdout;

struct Outcome {
  int code = 0;
  std::string out;
  std::string error;
};

// As main() would end, without a process.
Outcome run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "cutd");
  Outcome outcome;
  CaptureStdout();
  try {
    outcome.code = run_command_line(arguments);
  } catch (const Error& error) {
    outcome.code = exit_code(error.code());
    outcome.error = error.what();
  }
  std::fflush(stdout);
  outcome.out = GetCapturedStdout();
  return outcome;
}

TEST(CommandLineTest, HelpNamesEveryCommandAndExitCode) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.code, kExitDone);
  for (const char* text : {"serve", "demo", "run", "round", "model", "adapter", "instructions", "text", "data", "doctor", "version",
                           "Examples:", "75", "130/143"}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
}

TEST(CommandLineTest, EveryCommandHasHelpAndAnExample) {
  const std::vector<std::vector<std::string>> commands = {
      {"serve"}, {"demo"}, {"doctor"}, {"run", "start"}, {"model", "import"}, {"adapter", "export"}, {"instructions", "import"}, {"data", "prepare"}};
  for (std::vector<std::string> command : commands) {
    command.push_back("--help");
    const Outcome outcome = run(command);
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
    for (const std::string& command : commands) EXPECT_EQ(run({group, command, "--help"}).code, kExitDone) << group << " " << command;
  }
}

TEST(CommandLineTest, AnUnknownCommandIsNamed) {
  const Outcome outcome = run({"frobnicate"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.error, HasSubstr("\"cutd frobnicate\""));
  EXPECT_THAT(run({"run", "begin"}).error, HasSubstr("\"cutd run begin\""));
}

TEST(CommandLineTest, WrongUseIsExitCodeTwo) {
  EXPECT_EQ(run({}).code, kExitUsage);
  EXPECT_EQ(run({"run"}).code, kExitUsage);
  EXPECT_EQ(run({"run", "status"}).code, kExitUsage);             // no number
  EXPECT_EQ(run({"run", "status", "first"}).code, kExitUsage);    // no number either
  EXPECT_EQ(run({"version", "--loud"}).code, kExitUsage);
  EXPECT_EQ(run({"instructions", "import", "x", "--split", "test"}).code, kExitUsage);
  EXPECT_EQ(run({"demo", "--quick", "--config", "x.yaml"}).code, kExitUsage);
}

TEST(CommandLineTest, PrintsItsVersionAsTextAndAsJson) {
  EXPECT_THAT(run({"version"}).out, HasSubstr(version()));
  EXPECT_EQ(parse_json(run({"version", "--json"}).out, "output").at("version"), version());
}

TEST(CommandLineTest, AFolderWithoutAStoreIsNamedByCommandsThatRead) {
  const TemporaryDirectory folder;
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"run", "list"}, {"round", "show", "1"}, {"adapter", "list"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--data-dir", folder.path().string()});
    const Outcome outcome = run(arguments);
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
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, kExitUnexpected);
    EXPECT_THAT(outcome.error, HasSubstr("cutd serve --data-dir " + folder.path().string()));
  }
}

TEST(CommandLineTest, AMistakeInAConfigurationIsNamedBeforeAnyoneIsAsked) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "mine.yaml") << "name: mine\nrounds: 3\n";
  const Outcome outcome = run({"run", "start", "--config", (folder / "mine.yaml").string(), "--data-dir", folder.path().string()});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("mine.yaml"), HasSubstr("\"rounds\"")));
}

TEST(CommandLineTest, AFlagOfAConfigurationKeyIsCheckedLikeTheKey) {
  const Outcome outcome = run({"demo", "--learning-rate", "fast"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.error, HasSubstr("train.learning_rate"));
}

}  // namespace
}  // namespace cutd
