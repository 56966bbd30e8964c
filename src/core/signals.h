// SIGINT, SIGTERM and SIGHUP, for both programs: the first asks for a clean stop, the second ends the process at once.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/unique_fd.h"

namespace cutd {

// Whether signal `number`, `after` the first one, which was `first`, is the same request once more: timeout(1) sends
// its signal to the program and then to the program's group. People are slower.
bool repeats_the_request(int first, int number, std::chrono::steady_clock::duration after);

// Blocks the signals in the calling thread, and so in every thread made after it: construct it before the
// others. SIGPIPE is ignored from here on.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Requested by the first signal. A second request calls _exit(128 + its number).
  std::stop_token token() const { return stop_.get_token(); }

 private:
  void watch();

  std::stop_source stop_;
  UniqueFd signals_;  // signalfd
  UniqueFd done_;     // eventfd: the watch is over
  std::thread thread_;
};

inline constexpr const char* kNothingWritten = "stopped: nothing was written";

// For commands that do not wait for a run: runs `work` under a SignalWatch. When a stop request ends it with
// Error(kCancelled), says `words` on standard error. Returns kExitDone; other errors pass.
int run_stoppable(const std::function<void(const std::stop_token&)>& work, const std::string& words = kNothingWritten);

// Error(kCancelled) once a stop was requested; `what` was being done ("importing"). Any thread.
void throw_if_stopped(const std::stop_token& stop, const char* what);

}  // namespace cutd
