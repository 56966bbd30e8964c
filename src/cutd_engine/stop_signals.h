// Ctrl-C and SIGTERM for commands that can stop in order: the first signal requests a stop, the second ends the
// process at once with 128 + its number.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace cutd {

// Make it before other threads start (they inherit the blocked signals). One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void watch(const std::stop_token& ended);

  std::stop_source stop_;
  std::jthread watcher_;
};

// For commands whose output appears at their end: runs `work` under StopSignals; when a stop request ends it with
// Error(kCancelled), says on standard error that nothing was written. Returns kExitDone; other errors pass.
int run_stoppable(const std::function<void(const std::stop_token&)>& work);

}  // namespace cutd
