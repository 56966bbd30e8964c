#include "core/fault.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>

namespace cutd {
namespace {

// How a child ends that has `name`=`value` in its environment and does `work`: its exit status, or minus the
// signal that killed it.
int end_of(const char* name, const std::string& value, const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(name, value.c_str(), 1);
    fault::reload();
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int pass(const char* name, int times) {
  for (int i = 0; i < times; ++i) fault::point(name);
  return 7;
}

TEST(FaultTest, KillsAtTheKthPassageOfTheNamedPoint) {
  EXPECT_EQ(end_of("CUTD_CRASH_AT", "a.b", [] { return pass("a.b", 1); }), -SIGKILL);
  EXPECT_EQ(end_of("CUTD_CRASH_AT", "a.b:3", [] { return pass("a.b", 2); }), 7);
  EXPECT_EQ(end_of("CUTD_CRASH_AT", "a.b:3", [] { return pass("a.b", 3); }), -SIGKILL);
  EXPECT_EQ(end_of("CUTD_CRASH_AT", "a.b", [] { return pass("a.c", 9); }), 7);
}

TEST(FaultTest, AStarCountsThePassagesOfEveryPoint) {
  const auto mixed = [] {
    pass("a", 1);
    return pass("b", 1);
  };
  EXPECT_EQ(end_of("CUTD_CRASH_AT", "*:2", mixed), -SIGKILL);
  EXPECT_EQ(end_of("CUTD_CRASH_AT", "*:3", mixed), 7);
}

// One digit per operation: 1 where it failed with the expected error.
int failures(const char* op, int expected) {
  int digits = 0;
  for (int i = 0; i < 4; ++i) {
    errno = 0;
    const bool failed = fault::fails(op);
    digits = digits * 2 + (failed && errno == expected ? 1 : 0);
  }
  return digits;
}

TEST(FaultTest, FailsTheKthOperationOnceOrFromThenOn) {
  EXPECT_EQ(end_of("CUTD_FAIL_IO", "write:2", [] { return failures("write", ENOSPC); }), 0b0100);
  EXPECT_EQ(end_of("CUTD_FAIL_IO", "write:3+", [] { return failures("write", ENOSPC); }), 0b0011);
  EXPECT_EQ(end_of("CUTD_FAIL_IO", "fsync:1:EIO", [] { return failures("fsync", EIO); }), 0b1000);
  EXPECT_EQ(end_of("CUTD_FAIL_IO", "fsync:1+:EIO", [] { return failures("write", EIO); }), 0);
}

TEST(FaultTest, DoesNothingUnlessAsked) {
  EXPECT_EQ(pass("a", 3), 7);
  EXPECT_FALSE(fault::fails("write"));
}

}  // namespace
}  // namespace cutd
