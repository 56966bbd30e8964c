// When a failed request is sent again, and when not (reliability P17, section 4). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "llm_api/failure.h"

namespace cutd {

struct RetryPolicy {
  int sends = 3;                // in a row, the first included
  std::int64_t first_ms = 500;  // full jitter: uniform between 0 and first x 2^n, at most cap
  std::int64_t cap_ms = 8'000;
  int parks = 12;                 // then the item goes to people
  std::int64_t park_ms = 30'000;  // x 2 each time
  std::int64_t park_cap_ms = 900'000;
  std::int64_t longest_wait_ms = 3'600'000;  // a server that asks for more pauses the round
};

enum class RetryAction {
  kSendAgain,  // after delay_ms, in the same row of sends
  kPark,       // after delay_ms, with a new row of sends
  kGiveUp,     // asking again the same way cannot help, or was tried often enough
  kAskPolicy,  // the outcome is unknown: only the configured policy may send it again
  kPause,      // the whole round: money, or a wait that a person should know of
};

struct RetryDecision {
  RetryAction action = RetryAction::kGiveUp;
  std::int64_t delay_ms = 0;  // never less than the server asked for
};

// Uniform in [0, first_ms x 2^(failures-1)], at most cap_ms; `uniform` in [0, 1), `failures` from 1.
std::int64_t jittered_delay_ms(const RetryPolicy& policy, int failures, double uniform);

// `sends`: made in this row, the failed one included. `parks`: so far. `budget`: a retry now keeps within the budget
// (retry_budget.h); without it the item is parked.
RetryDecision decide_retry(const RetryPolicy& policy, const ApiFailure& failure, int sends, int parks, bool budget,
                           double uniform);

}  // namespace cutd
