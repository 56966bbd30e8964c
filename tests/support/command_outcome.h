// The command line of cutd run inside the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "core/error.h"
#include "cutd/command_line.h"

namespace cutd {

struct CommandOutcome {
  int code = 0;
  std::string out;    // standard output
  std::string error;  // what main() would print
};

// As main() would end, without a process.
inline CommandOutcome run_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "cutd");
  CommandOutcome outcome;
  testing::internal::CaptureStdout();
  try {
    outcome.code = run_command_line(arguments);
  } catch (const Error& error) {
    outcome.code = exit_code(error.code());
    outcome.error = error.what();
  }
  std::fflush(stdout);
  outcome.out = testing::internal::GetCapturedStdout();
  return outcome;
}

}  // namespace cutd
