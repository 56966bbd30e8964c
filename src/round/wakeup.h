// The one nudge between threads: "look at the database again". A counter, so that a nudge given while
// nobody waits is not lost. Waiting never replaces looking: every wait has a time limit.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace cutd {

// Thread-safe.
class Wakeup {
 public:
  void nudge() {
    const std::lock_guard lock(mutex_);
    ++count_;
    condition_.notify_all();
  }

  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  // Returns once the count differs from `seen` or `timeout` is over; the new count.
  std::uint64_t wait(std::uint64_t seen, std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    condition_.wait_for(lock, timeout, [&] { return count_ != seen; });
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable condition_;
  std::uint64_t count_ = 0;  // guarded by mutex_
};

}  // namespace cutd
