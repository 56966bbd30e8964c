#include "core/program.h"

#include <cstdio>
#include <cstdlib>
#include <new>

#include "core/error.h"
#include "core/sanitized.h"

namespace cutd {
namespace {

int report(const std::string& program, const std::string& message, int code) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s\n", program.c_str(), message.c_str());
  return code;
}

}  // namespace

int run_reporting_errors(const std::string& program, const std::function<int()>& action) {
  try {
    const int code = action();
    // Output that could not be written (a full disk behind a redirection) is a failure, too.
    if (std::fflush(stdout) != 0) return report(program, "cannot write to standard output", kExitUnexpected);
    return code;
  } catch (const Error& error) {
    return report(program, error.what(), exit_code(error.code()));
  } catch (const std::bad_alloc&) {
    return report(program, "out of memory", kExitUnexpected);
  } catch (const std::exception& error) {
    return report(program, std::string("unexpected failure: ") + error.what(), kExitUnexpected);
  }
}

void end_process(int code) {
  if (kSanitized) std::exit(code);
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace cutd
