#include "core/log.h"

#include <cstdio>

#include "core/clock.h"

namespace cutd {

void StderrLogger::log(LogLevel level, std::string_view message) {
  if (level < least_) return;
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  const std::string line = format_utc(SystemClock().wall_micros()) + " " + kNames[static_cast<int>(level)] + " " +
                           std::string(message) + "\n";
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace cutd
