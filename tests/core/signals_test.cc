#include "core/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/error.h"

namespace cutd {
namespace {

using testing::ExitedWithCode;

// Death tests, each in a process of its own: signals are blocked in the thread that asks for them, for good.
class SignalsTest : public testing::Test {
 protected:
  SignalsTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void work_until_stopped(const std::stop_token& stop) {
    for (;;) {
      throw_if_stopped(stop, "waiting");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  static void signal_itself(int number) { ::kill(::getpid(), number); }
};

TEST_F(SignalsTest, TheFirstSignalEndsTheWorkInOrderAndIsNoFailure) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const auto stopped = [number] {
      std::exit(run_stoppable([number](const std::stop_token& stop) {
        signal_itself(number);
        work_until_stopped(stop);
      }));
    };
    EXPECT_EXIT(stopped(), ExitedWithCode(0), "^stopped: nothing was written\n$");
  }
}

TEST_F(SignalsTest, WhatAStopMeansIsSaidInTheCommandsWords) {
  const auto stopped = [] {
    std::exit(run_stoppable(
        [](const std::stop_token& stop) {
          signal_itself(SIGTERM);
          work_until_stopped(stop);
        },
        "stopped: half of it"));
  };
  EXPECT_EXIT(stopped(), ExitedWithCode(0), "^stopped: half of it\n$");
}

TEST_F(SignalsTest, TheSecondSignalEndsTheProcessAtOnce) {
  const auto killed = [] {
    run_stoppable([](const std::stop_token& stop) {
      signal_itself(SIGINT);
      while (!stop.stop_requested()) std::this_thread::yield();
      signal_itself(SIGTERM);
      std::this_thread::sleep_for(std::chrono::minutes(1));  // does not look
    });
  };
  EXPECT_EXIT(killed(), ExitedWithCode(128 + SIGTERM), "");
}

// As timeout(1) sends it to the program and to its group.
TEST_F(SignalsTest, TheSameSignalAtOnceAgainIsNoSecondRequest) {
  EXPECT_TRUE(repeats_the_request(SIGTERM, SIGTERM, std::chrono::milliseconds(99)));
  EXPECT_FALSE(repeats_the_request(SIGTERM, SIGTERM, std::chrono::milliseconds(100)));
  EXPECT_FALSE(repeats_the_request(SIGINT, SIGTERM, std::chrono::milliseconds(0)));
}

TEST_F(SignalsTest, WorkThatEndsBeforeItLooksIsDone) {
  const auto done = [] { std::exit(run_stoppable([](const std::stop_token&) { signal_itself(SIGTERM); })); };
  EXPECT_EXIT(done(), ExitedWithCode(0), "^$");
}

TEST_F(SignalsTest, OtherErrorsPass) {
  const auto fails = [] { run_stoppable([](const std::stop_token&) { throw Error(ErrorCode::kIo, "a full disk"); }); };
  EXPECT_THROW(fails(), Error);
}

}  // namespace
}  // namespace cutd
