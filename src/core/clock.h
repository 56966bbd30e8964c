// Time as the product uses it: wall time for display and records, boot time for every deadline.
#pragma once

#include <cstdint>
#include <string>

namespace cutd {

class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since the Unix epoch. Jumps when the operator or NTP moves it: display only.
  virtual std::int64_t wall_micros() const = 0;
  // Milliseconds since boot, suspend included (CLOCK_BOOTTIME). Never goes back.
  virtual std::int64_t boot_millis() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t wall_micros() const override;
  std::int64_t boot_millis() const override;
};

// Which boot the boot clock counts from: the kernel's boot id; empty where there is none.
std::string boot_id();

// "2026-11-24T03:51:07Z" for wall-clock microseconds.
std::string format_utc(std::int64_t wall_micros);

// "4 s", "3 min 20 s", "2 h 5 min": durations as people read them.
std::string format_duration(double seconds);

}  // namespace cutd
