// How often one person may claim: enough for the fastest reader, too little for a program that leafs through the queue.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "core/domain.h"

namespace cutd {

// A bucket of `burst` claims per person that fills with `per_second`. Thread-safe.
class ClaimRate {
 public:
  explicit ClaimRate(double burst = 120, double per_second = 2) : burst_(burst), per_second_(per_second) {}

  // Takes one; false: none is left. `now_ms` of the boot clock.
  bool admit(UserId user, std::int64_t now_ms);

 private:
  struct Bucket {
    double left = 0;
    std::int64_t at_ms = 0;
  };

  const double burst_;
  const double per_second_;
  std::mutex mutex_;
  std::map<UserId, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace cutd
