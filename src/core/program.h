// The outermost frame of both programs: errors on standard error as "NAME: message", exit codes as
// core/error.h has them.
#pragma once

#include <functional>
#include <string>

namespace cutd {

// The exit code of `action`, or that of the error it threw, which is printed.
int run_reporting_errors(const std::string& program, const std::function<int()>& action);

}  // namespace cutd
