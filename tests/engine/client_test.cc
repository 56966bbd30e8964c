#include "engine/client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "core/unique_fd.h"
#include "support/folders.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Drives the fake engine program of tests/support in the mode a test names.
class EngineClientTest : public ::testing::Test {
 protected:
  EngineProcessOptions options(std::vector<std::string> mode) const {
    EngineProcessOptions result;
    result.program = program_folder() / "fake_engine";
    result.arguments = std::move(mode);
    result.log_file = folder_.path() / "engine.log";
    result.restart = {.first_delay_ms = 5, .longest_delay_ms = 20, .most_failures = 4, .window_ms = 60'000};
    result.timeouts.cancel_ms = 5'000;
    return result;
  }
  void start_mode(std::vector<std::string> mode) { start(options(std::move(mode))); }
  void start(EngineProcessOptions chosen) { client_.emplace(std::move(chosen), clock_, logger_); }

  std::vector<GeneratedResponse> generate(std::stop_token stop = {}, const ProgressSink& progress = {}) {
    GenerateRequest request;
    request.prompts = {{{1, 2, 3}, 4}, {{5}, 6}};
    return client_->generate(request, stop, progress);
  }
  // The error that `action` ends with.
  static Error error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kInternal, "no error");
  }
  Error generate_error() {
    return error_of([this] { generate(); });
  }

  const TemporaryDirectory folder_;
  const SystemClock clock_;
  NullLogger logger_;
  std::optional<EngineClient> client_;
};

TEST_F(EngineClientTest, AnswersEveryKindOfRequest) {
  start_mode({"good"});
  EXPECT_EQ(client_->load({"m"}, {}, {}).parameters, 1000);
  EXPECT_EQ(generate().at(0).ids, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(client_->score({{}, {{{1, 2}, 1}}}, {}, {}).at(0).at(0), -1.25);
  EXPECT_EQ(client_->train({}, {}, {}).steps, 3);
  EXPECT_EQ(client_->merge({}, {}, {}).max_logit_difference, 1e-6);
  EXPECT_EQ(client_->describe({}).at("version"), "fake");
  EXPECT_EQ(client_->state().starts, 1);
}

TEST_F(EngineClientTest, ProgressArrivesInTheCallingThread) {
  start_mode({"good"});
  std::vector<std::int64_t> steps;
  const auto self = std::this_thread::get_id();
  client_->train({}, {}, [&](const EngineProgress& progress) {
    EXPECT_EQ(std::this_thread::get_id(), self);
    EXPECT_EQ(progress.phase, "train");
    steps.push_back(progress.detail.at("step").get<std::int64_t>());
  });
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(EngineClientTest, TheEnginesOwnErrorKeepsItsCode) {
  start_mode({"good"});
  const Error error = error_of([this] { client_->load({"missing"}, {}, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_STREQ(error.what(), "no model at missing");
  EXPECT_EQ(generate().size(), 2U);  // and the engine goes on
}

TEST_F(EngineClientTest, SaysHowAKilledEngineEndedAndWhatItPrinted) {
  start_mode({"crash"});
  const Error error = generate_error();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("killed by signal 9"), HasSubstr("something broke")));
  EXPECT_FALSE(client_->state().running);
}

TEST_F(EngineClientTest, SaysTheExitStatusOfAnEngineThatGaveUp) {
  start_mode({"exit-3"});
  EXPECT_THAT(generate_error().what(), AllOf(HasSubstr("exit status 3"), HasSubstr("no model today")));
}

TEST_F(EngineClientTest, AskingAgainStartsANewEngine) {
  start_mode({"crash-once", folder_.path() / "crashed"});
  EXPECT_EQ(generate_error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(generate().size(), 2U);
  EXPECT_EQ(client_->state().starts, 2);
}

TEST_F(EngineClientTest, RestartsAreBounded) {
  start_mode({"crash"});
  for (int i = 0; i < 4; ++i) generate_error();
  EXPECT_THAT(generate_error().what(), HasSubstr("failed 4 times in a row"));
  EXPECT_EQ(client_->state().starts, 4);
}

TEST_F(EngineClientTest, ASilentEngineIsKilled) {
  EngineProcessOptions chosen = options({"silent"});
  chosen.timeouts.silence_ms = 60;
  start(chosen);
  EXPECT_THAT(generate_error().what(), AllOf(HasSubstr("was silent"), HasSubstr("killed by signal 9")));
}

TEST_F(EngineClientTest, AHungEngineIsKilledThoughItsHeartBeats) {
  EngineProcessOptions chosen = options({"hung"});
  chosen.timeouts.stall_ms = 100;
  start(chosen);
  EXPECT_THAT(generate_error().what(), AllOf(HasSubstr("hung"), HasSubstr("generate")));
}

TEST_F(EngineClientTest, ASlowStartIsNotADeath) {
  EngineProcessOptions chosen = options({"slow-start", "150"});
  chosen.timeouts.silence_ms = 5'000;
  start(chosen);
  EXPECT_EQ(generate().size(), 2U);
}

TEST_F(EngineClientTest, GarbageEndsTheEngine) {
  start_mode({"garbage"});
  const Error error = generate_error();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("broke the protocol"));
}

TEST_F(EngineClientTest, AnEndlessLineEndsTheEngine) {
  EngineProcessOptions chosen = options({"endless-line"});
  chosen.max_line_bytes = 1 << 20;
  start(chosen);
  EXPECT_THAT(generate_error().what(), HasSubstr("more than 1048576 bytes"));
}

TEST_F(EngineClientTest, AMissingProgramIsNamed) {
  EngineProcessOptions chosen = options({});
  chosen.program = "/nowhere/cutd-engine";
  start(chosen);
  const Error error = generate_error();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("/nowhere/cutd-engine"), HasSubstr("--engine")));
}

TEST_F(EngineClientTest, AStopRequestCancelsAndTheEngineLivesOn) {
  start_mode({"until-cancelled"});
  std::stop_source stop;
  const Error error =
      error_of([&] { generate(stop.get_token(), [&](const EngineProgress&) { stop.request_stop(); }); });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_TRUE(client_->state().running);
  EXPECT_EQ(client_->load({"m"}, {}, {}).threads, 2);
  EXPECT_EQ(client_->state().starts, 1);
}

TEST_F(EngineClientTest, AnEngineThatIgnoresACancelIsKilled) {
  EngineProcessOptions chosen = options({"hung"});
  chosen.timeouts.cancel_ms = 50;
  start(chosen);
  std::stop_source stop;
  std::jthread stopper([&] {
    while (client_->state().phase != "generate") std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
  });
  EXPECT_EQ(error_of([&] { generate(stop.get_token()); }).code(), ErrorCode::kCancelled);
  EXPECT_FALSE(client_->state().running);
}

TEST_F(EngineClientTest, WhatASinkThrowsComesOutOfTheCall) {
  start_mode({"until-cancelled"});
  EXPECT_THROW(generate({}, [](const EngineProgress&) { throw std::out_of_range("sink"); }), std::out_of_range);
  EXPECT_EQ(client_->load({"m"}, {}, {}).threads, 2);
}

TEST_F(EngineClientTest, TheOldProcessIsReapedBeforeTheNextStarts) {
  start_mode({"good"});
  generate();
  const pid_t first = client_->state().pid;
  ::kill(first, SIGKILL);
  while (client_->state().running) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(::kill(first, 0), -1);  // not even a zombie
  EXPECT_EQ(generate().size(), 2U);
  EXPECT_NE(client_->state().pid, first);
}

TEST_F(EngineClientTest, TheEngineEndsWithTheClient) {
  start_mode({"good"});
  generate();
  const pid_t engine = client_->state().pid;
  client_.reset();
  EXPECT_EQ(::kill(engine, 0), -1);
}

TEST_F(EngineClientTest, OpenCallsEndWithTheClient) {
  EngineProcessOptions chosen = options({"hung"});
  chosen.timeouts.exit_ms = 50;
  start(chosen);
  std::jthread caller([this] { EXPECT_EQ(generate_error().code(), ErrorCode::kUnavailable); });
  while (client_->state().phase != "generate") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // The object must outlive its callers, so only its process is asked to end here.
  ::kill(client_->state().pid, SIGTERM);
  caller.join();
}

TEST_F(EngineClientTest, TheEngineInheritsOneSocketAndNoSecrets) {
  const UniqueFd leaked(::open("/dev/null", O_RDONLY));  // deliberately without close-on-exec
  ::setenv("OPENAI_API_KEY", "canary", 1);
  ::setenv("CUTD_SECRET_X", "canary", 1);
  ::setenv("OMP_NUM_THREADS", "2", 1);
  start_mode({"descriptors"});
  generate();
  client_.reset();
  ::unsetenv("OMP_NUM_THREADS");
  const std::string printed = read_file(folder_.path() / "engine.log");
  EXPECT_THAT(printed, AllOf(HasSubstr("fd=0\n"), HasSubstr("fd=3\n"), HasSubstr("env=OMP_NUM_THREADS\n")));
  EXPECT_THAT(printed, Not(HasSubstr("fd=" + std::to_string(std::max(leaked.get(), 4)) + "\n")));
  EXPECT_THAT(printed, Not(AnyOf(HasSubstr("OPENAI_API_KEY"), HasSubstr("CUTD_SECRET_X"))));
}

TEST_F(EngineClientTest, CallsOfTwoThreadsQueue) {
  start_mode({"good"});
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] {
      for (int j = 0; j < 20; ++j) EXPECT_EQ(generate().size(), 2U);
    });
  }
  callers.clear();
  EXPECT_EQ(client_->state().starts, 1);
}

}  // namespace
}  // namespace cutd
