// The command line as a function, so that tests call it.
#pragma once

#include <string>
#include <vector>

namespace cutd {

// Parses and runs; the exit code. Wrong use is reported on standard error and gives kExitUsage; what a
// command throws comes out.
int run_command_line(const std::vector<std::string>& arguments);

}  // namespace cutd
