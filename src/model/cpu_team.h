// A team of threads that works through a step phase by phase: items of a phase are shared out, and a barrier of a
// few hundred nanoseconds separates phases. Each thread starts with its own contiguous share (memory streams stay
// linear) and then takes what others have left, so a thread that lost its core does not hold up the step.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace cutd {

class CpuTeam {
 public:
  explicit CpuTeam(std::int64_t most_threads);

  // Runs body(thread) on up to most_threads threads of LibTorch's OpenMP pool; body must not throw.
  template <typename Body>
  void run(const Body& body) {
    run_erased([](const void* context, std::int64_t thread) { (*static_cast<const Body*>(context))(thread); }, &body);
  }

  // Within run(): calls work(item) for each of `items` items on one of the threads and returns, on every thread,
  // when all are done. Every thread must make the same sequence of calls.
  template <typename Work>
  void phase(std::int64_t thread, std::int64_t items, const Work& work) {
    for (std::int64_t turn = 0; turn < threads_; ++turn) {
      const std::int64_t owner = (thread + turn) % threads_;
      const std::int64_t begin = items * owner / threads_;
      const std::int64_t end = items * (owner + 1) / threads_;
      std::atomic<std::int64_t>& next = shares_[static_cast<std::size_t>(owner)].next;
      for (std::int64_t i = begin + next.fetch_add(1, std::memory_order_relaxed); i < end;
           i = begin + next.fetch_add(1, std::memory_order_relaxed)) {
        work(i);
      }
    }
    wait();
  }

  std::int64_t most_threads() const { return most_threads_; }

 private:
  struct alignas(64) Share {
    std::atomic<std::int64_t> next{0};
  };

  void run_erased(void (*body)(const void*, std::int64_t), const void* context);
  void wait();

  const std::int64_t most_threads_;
  std::int64_t threads_ = 1;  // of the current run
  std::vector<Share> shares_;
  alignas(64) std::atomic<std::int64_t> arrived_{0};
  alignas(64) std::atomic<std::int64_t> generation_{0};
};

}  // namespace cutd
