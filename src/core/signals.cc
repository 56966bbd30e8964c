#include "core/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cstdio>

#include "core/error.h"

namespace cutd {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, number);
  return set;
}

}  // namespace

SignalWatch::SignalWatch() {
  const sigset_t set = watched_signals();
  ::signal(SIGPIPE, SIG_IGN);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC));
  done_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!signals_ || !done_) throw_errno("cannot watch signals");
  thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  const std::uint64_t one = 1;
  const ssize_t ignored = ::write(done_.get(), &one, sizeof one);
  static_cast<void>(ignored);
  thread_.join();
}

bool repeats_the_request(int first, int number, std::chrono::steady_clock::duration after) {
  return number == first && after < std::chrono::milliseconds(100);
}

void SignalWatch::watch() {
  int first = 0;
  std::chrono::steady_clock::time_point first_at;
  for (;;) {
    std::array<pollfd, 2> fds = {{{signals_.get(), POLLIN, 0}, {done_.get(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) continue;
    const int number = static_cast<int>(info.ssi_signo);
    const auto now = std::chrono::steady_clock::now();
    if (first == 0) {
      first = number;
      first_at = now;
      stop_.request_stop();
    } else if (!repeats_the_request(first, number, now - first_at)) {
      ::_exit(128 + number);
    }
  }
}

int run_stoppable(const std::function<void(const std::stop_token&)>& work, const std::string& words) {
  const SignalWatch signals;
  try {
    work(signals.token());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    std::fprintf(stderr, "%s\n", words.c_str());
  }
  return kExitDone;
}

void throw_if_stopped(const std::stop_token& stop, const char* what) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, std::string("stopped while ") + what);
}

}  // namespace cutd
