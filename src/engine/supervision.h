// When the engine counts as dead or hung, and when it may be started again: pure decisions on
// boot-clock milliseconds. EngineClient acts on them. Figures: docs/architecture.md, section 2.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/protocol.h"

namespace cutd {

struct EngineTimeouts {
  std::int64_t heartbeat_ms = 10'000;                      // the engine's interval
  std::int64_t silence_ms = 60'000;                        // nothing heard for so long: dead
  std::int64_t load_stall_ms = std::int64_t{15} * 60'000;  // no progress while loading: hung
  std::int64_t stall_ms = std::int64_t{5} * 60'000;        // no progress in any other phase: hung
  std::int64_t cancel_ms = 30'000;  // a cancelled request must end within this, else the engine is killed
  std::int64_t exit_ms = 5'000;     // a shutdown must end within this, else the engine is killed
};

// Watches one engine process. One thread.
class Liveness {
 public:
  Liveness(const EngineTimeouts& timeouts, std::int64_t now_ms);

  void heard(std::int64_t now_ms);                             // any whole line
  void heartbeat(const Heartbeat& beat, std::int64_t now_ms);  // implies heard
  void request_started(std::int64_t now_ms);                   // a fresh budget for the request
  const std::string& phase() const { return phase_; }

  // Why the engine must be given up, or "" while it is well.
  std::string verdict(std::int64_t now_ms) const;

 private:
  const EngineTimeouts timeouts_;
  std::int64_t heard_ms_;
  std::int64_t moved_ms_;  // when phase or progress last changed
  std::string phase_ = "start";
  std::int64_t progress_ = -1;
};

struct RestartPolicy {
  std::int64_t first_delay_ms = 500;  // doubles with each failure in a row
  std::int64_t longest_delay_ms = 30'000;
  std::int64_t most_failures = 5;  // so many within the window: starts are refused until it has passed
  std::int64_t window_ms = std::int64_t{10} * 60'000;
};

struct StartDecision {
  bool refused = false;
  std::int64_t not_before_ms = 0;  // when to start, or when a refusal ends
};

// `failures`: when the engine failed since its last answer, oldest first.
StartDecision decide_start(const std::vector<std::int64_t>& failures, std::int64_t now_ms, const RestartPolicy& policy);

}  // namespace cutd
