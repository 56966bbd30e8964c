#include "core/fault.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace cutd::fault {
namespace {

struct Plan {
  std::string crash_name;
  long crash_count = 1;
  std::string io_op;
  long io_count = 1;
  bool io_forever = false;
  int io_errno = ENOSPC;
};

Plan read_plan() {
  Plan plan;
  if (const char* crash = std::getenv("CUTD_CRASH_AT")) {
    const std::string text = crash;
    const std::size_t colon = text.rfind(':');
    plan.crash_name = text.substr(0, colon);
    if (colon != std::string::npos) plan.crash_count = std::atol(text.c_str() + colon + 1);
  }
  if (const char* fail = std::getenv("CUTD_FAIL_IO")) {
    const std::string text = fail;
    const std::size_t first = text.find(':');
    plan.io_op = text.substr(0, first);
    if (first != std::string::npos) {
      const std::string rest = text.substr(first + 1);
      plan.io_count = std::atol(rest.c_str());
      plan.io_forever = rest.find('+') != std::string::npos;
      if (rest.find("EIO") != std::string::npos) plan.io_errno = EIO;
    }
  }
  return plan;
}

Plan& plan() {
  static Plan instance = read_plan();  // changed by reload() alone
  return instance;
}

// Passages of the named point, and operations of the named kind, so far.
std::atomic<long> passages{0};
std::atomic<long> operations{0};

}  // namespace

void point(const char* name) {
  const std::string& wanted = plan().crash_name;
  if (wanted.empty() || (wanted != "*" && wanted != name)) return;
  if (++passages == plan().crash_count) {
    ::kill(::getpid(), SIGKILL);
    ::pause();
  }
}

bool fails(const char* op) {
  if (plan().io_op.empty() || plan().io_op != op) return false;
  const long number = ++operations;
  const bool failing = number == plan().io_count || (plan().io_forever && number > plan().io_count);
  if (failing) errno = plan().io_errno;
  return failing;
}

void reload() {
  plan() = read_plan();
  passages = 0;
  operations = 0;
}

}  // namespace cutd::fault
