#include "cutd_engine/stop_signals.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "core/error.h"

namespace cutd {
namespace {

sigset_t stop_set() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watcher_ = std::jthread([this](const std::stop_token& ended) { watch(ended); });
}

StopSignals::~StopSignals() {
  watcher_.request_stop();
  watcher_.join();
  const sigset_t set = stop_set();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void StopSignals::watch(const std::stop_token& ended) {
  const sigset_t set = stop_set();
  const timespec wait = {0, 50'000'000};
  while (!ended.stop_requested()) {
    const int number = ::sigtimedwait(&set, nullptr, &wait);
    if (number <= 0) continue;
    if (stop_.stop_requested()) ::_exit(128 + number);
    stop_.request_stop();
  }
}

int run_stoppable(const std::function<void(const std::stop_token&)>& work) {
  StopSignals signals;
  try {
    work(signals.token());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    std::fprintf(stderr, "stopped: nothing was written\n");
  }
  return kExitDone;
}

}  // namespace cutd
