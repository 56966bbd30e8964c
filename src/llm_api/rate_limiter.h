// Requests and tokens per minute, spread evenly: servers that advertise 60 a minute refuse the second one within a
// second. Plain state, so that it survives a restart (reliability P19).
#pragma once

#include <cstdint>

#include "core/json.h"

namespace cutd {

struct RateLimits {
  double max_rpm = 0;  // requests a minute; 0: no limit
  double max_tpm = 0;  // tokens a minute, input and output; 0: no limit
  // How much of a limit is used: the rest absorbs the jitter between our clock and the server's.
  double share = 0.95;
};

// Milliseconds are of one monotonic clock. One thread.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimits limits) : limits_(limits) {}

  // When the next request may be sent; now or earlier: at once.
  std::int64_t next_ms() const;
  // A request of probably `tokens` is sent now.
  void sent(std::int64_t now_ms, std::int64_t tokens);
  // Its reply says `actual` in place of `estimated`.
  void settled(std::int64_t estimated, std::int64_t actual);

  // What is still to be waited for, as of the wall clock: {"requests_ms", "tokens_ms", "saved_micros"}.
  Json save(std::int64_t now_ms, std::int64_t wall_micros) const;
  // Counts the time that passed in between; a wall clock that went back counts as no time at all.
  void restore(const Json& saved, std::int64_t now_ms, std::int64_t wall_micros);

 private:
  RateLimits limits_;
  double requests_free_ms_ = 0;  // the time at which all that was sent is worked off
  double tokens_free_ms_ = 0;
};

}  // namespace cutd
