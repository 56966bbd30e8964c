#include "model/cpu_team.h"

#include <omp.h>
#include <sched.h>

namespace cutd {
namespace {

// About 20 microseconds: longer than any phase's imbalance on free cores, short where a core must be shared.
constexpr int kSpins = 1000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

CpuTeam::CpuTeam(std::int64_t most_threads)
    : most_threads_(most_threads < 1 ? 1 : most_threads), shares_(static_cast<std::size_t>(most_threads_)) {}

void CpuTeam::run_erased(void (*body)(const void*, std::int64_t), const void* context) {
  if (most_threads_ == 1) {
    threads_ = 1;
    body(context, 0);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(most_threads_))
  {
#pragma omp single
    threads_ = omp_get_num_threads();  // OpenMP may give fewer; `single` ends in a barrier
    body(context, omp_get_thread_num());
  }
}

void CpuTeam::wait() {
  const std::int64_t generation = generation_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    // All others wait here: the shares can be refilled.
    for (Share& share : shares_) share.next.store(0, std::memory_order_relaxed);
    arrived_.store(0, std::memory_order_relaxed);
    generation_.store(generation + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; generation_.load(std::memory_order_acquire) == generation; ++spins) {
    if (spins < kSpins) relax();
    else ::sched_yield();
  }
}

}  // namespace cutd
