// `cutd demo` as a program, with an engine that needs no model: whole runs, stopped and killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/error.h"
#include "support/folders.h"
#include "support/program.h"
#include "support/rehearsal.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DemoCommandTest : public ::testing::Test {
 protected:
  struct Ended {
    int code = 0;
    std::string out;
    std::string err;
    Json json() const {
      const std::size_t end = out.find_last_not_of('\n');
      const std::size_t start = out.rfind('\n', end);
      return parse_json(out.substr(start == std::string::npos ? 0 : start + 1), "the last line");
    }
  };

  DemoCommandTest() {
    write_engine("engine", "rehearsal_engine 1");
    std::ofstream(files_ / "tiny.yaml") << config_text();
  }

  void write_engine(const std::string& name, const std::string& command) const {
    std::ofstream(files_ / name) << "#!/bin/sh\nexec " << program_folder().string() << "/" << command << " \"$@\"\n";
    std::filesystem::permissions(files_ / name, std::filesystem::perms::owner_all);
  }
  std::string config_text() const { return to_json_text(run_config_json(files_.config()), 1) + "\n"; }  // JSON is YAML

  std::unique_ptr<Program> start(const std::string& data, const std::string& engine = "engine") const {
    return std::make_unique<Program>(
        std::vector<std::string>{(program_folder() / "cutd").string(), "demo", "--config",
                                 (files_ / "tiny.yaml").string(), "--engine", (files_ / engine).string(), "--data-dir",
                                 (files_ / data).string(), "--json"},
        files_ / (data + ".out"), files_ / (data + ".err"));
  }
  // Until standard error says `text`; at most a minute.
  void wait_for(const std::string& data, const std::string& text) const {
    for (int i = 0; i < 6000 && read_file(files_ / (data + ".err")).find(text) == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  Ended end(Program& program, const std::string& data) const {
    const int code = program.wait();
    return {code, read_file(files_ / (data + ".out")), read_file(files_ / (data + ".err"))};
  }
  Ended finish(const std::string& data) const { return end(*start(data), data); }

  // What must not depend on how often a run was interrupted.
  static Json outcome(const Ended& ended) {
    EXPECT_EQ(ended.code, kExitDone) << ended.err;
    const Json json = ended.json();
    Json rounds = Json::array();
    for (const Json& round : json.at("rounds"))
      rounds.push_back({round.at("score"), round.at("promoted"), round.at("adapter_hash")});
    return rounds;
  }

  const RehearsalFiles files_;
};

TEST_F(DemoCommandTest, EndsWithTheOutcomeAsItsLastLineAndReusesItNextTime) {
  const Ended first = finish("data");
  ASSERT_EQ(first.code, kExitDone) << first.err;
  const Json json = first.json();
  EXPECT_TRUE(json.at("baseline").at("score").is_number());
  ASSERT_EQ(json.at("rounds").size(), 2U);
  EXPECT_TRUE(
      std::filesystem::exists(json.at("rounds")[1].at("adapter").get<std::string>() + "/adapter_model.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(json.at("report").get<std::string>()));
  const Ended second = finish("data");
  EXPECT_EQ(outcome(second), outcome(first));
  EXPECT_EQ(second.json().at("run"), 1);
  EXPECT_THAT(second.err, HasSubstr("everything is reused"));
}

TEST_F(DemoCommandTest, StoppedOrKilledAtAnyTimeItGoesOn) {
  const Json undisturbed = outcome(finish("undisturbed"));
  std::minstd_rand random(20261124);
  for (int i = 0; i < 12; ++i) {
    const auto program = start("data");
    if (i % 3 == 0) wait_for("data", "tiny.yaml: model");  // before this line SIGTERM may still end it as any program
    std::this_thread::sleep_for(std::chrono::milliseconds(40 + random() % 300));
    program->send(i % 3 == 0 ? SIGTERM : SIGKILL);
    const Ended ended = end(*program, "data");
    if (i % 3 == 0) {
      EXPECT_EQ(ended.code, kExitDone) << ended.err;
    }
  }
  const Ended last = finish("data");
  EXPECT_EQ(outcome(last), undisturbed);
  EXPECT_EQ(last.json().at("run"), 1);
}

TEST_F(DemoCommandTest, AFirstSignalSaysHowToGoOn) {
  write_engine("slow", "rehearsal_engine 100");
  const auto program = start("data", "slow");
  wait_for("data", "run 1 started");
  program->send(SIGINT);
  const Ended ended = end(*program, "data");
  EXPECT_EQ(ended.code, kExitDone);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("nothing is lost"), HasSubstr("goes on")));
  EXPECT_EQ(ended.json().at("state"), "active");
}

TEST_F(DemoCommandTest, ASecondOneOnTheFolderIsTurnedAwayWithNames) {
  write_engine("slow", "rehearsal_engine 100");
  const auto first = start("data", "slow");
  for (int i = 0; i < 500 && !std::filesystem::exists(files_ / "data/cutd.sock"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  Program second({(program_folder() / "cutd").string(), "demo", "--config", (files_ / "tiny.yaml").string(), "--engine",
                  (files_ / "slow").string(), "--data-dir", (files_ / "data").string()},
                 files_ / "second.out", files_ / "second.err");
  const Ended ended = end(second, "second");
  EXPECT_EQ(ended.code, kExitBusy);
  EXPECT_THAT(ended.err, AllOf(HasSubstr((files_ / "data").string()), HasSubstr(std::to_string(first->pid()))));
}

TEST_F(DemoCommandTest, AnEngineThatAlwaysDiesEndsTheRunFailed) {
  write_engine("dying", "fake_engine crash");
  const auto program = start("data", "dying");
  const Ended ended = end(*program, "data");
  EXPECT_EQ(ended.code, kExitRunFailed) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("run 1 failed"), HasSubstr("killed by signal 9")));
  const Ended again = finish("data");  // with an engine that works
  EXPECT_EQ(again.code, kExitDone) << again.err;
  EXPECT_THAT(again.err, HasSubstr("is tried again"));
}

TEST_F(DemoCommandTest, ABrokenInstructionLineIsNamed) {
  std::ofstream(files_ / "train.jsonl", std::ios::app) << "{\"instruction\": \"unfinished\n";
  const Ended ended = finish("data");
  EXPECT_EQ(ended.code, kExitBadInput);
  EXPECT_THAT(ended.err, HasSubstr("train.jsonl:17"));
}

TEST_F(DemoCommandTest, AnUnknownKeyIsNamedBeforeAFolderIsMade) {
  std::ofstream(files_ / "tiny.yaml") << "rounds: 3\n";
  const Ended ended = finish("data");
  EXPECT_EQ(ended.code, kExitUsage);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("tiny.yaml"), HasSubstr("\"rounds\"")));
  EXPECT_FALSE(std::filesystem::exists(files_ / "data"));
}

}  // namespace
}  // namespace cutd
