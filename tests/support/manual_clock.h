// A clock that stands still until it is told.
#pragma once

#include <atomic>

#include "core/clock.h"

namespace cutd {

// Thread-safe.
class ManualClock final : public Clock {
 public:
  std::int64_t wall_micros() const override { return 1'764'000'000'000'000 + boot_millis_ * 1'000; }
  std::int64_t boot_millis() const override { return boot_millis_; }
  void advance_ms(std::int64_t milliseconds) { boot_millis_ += milliseconds; }

 private:
  std::atomic<std::int64_t> boot_millis_{1'000};
};

}  // namespace cutd
