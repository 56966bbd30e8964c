// The outermost frame of both programs: errors on standard error as "NAME: message", exit codes as
// core/error.h has them.
#pragma once

#include <functional>
#include <string>

namespace cutd {

// The exit code of `action`, or that of the error it threw, which is printed.
int run_reporting_errors(const std::string& program, const std::function<int()>& action);

// Ends the process with `code`: what stdio holds is written, the destructors of statics are left out. LibTorch's take a
// tenth of a second to give back what the kernel takes anyway. Instrumented programs end in the ordinary way, for the
// sanitizers have something to say then.
[[noreturn]] void end_process(int code);

}  // namespace cutd
