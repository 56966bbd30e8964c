#include "engine/supervision.h"

#include <algorithm>

#include "core/clock.h"

namespace cutd {

Liveness::Liveness(const EngineTimeouts& timeouts, std::int64_t now_ms)
    : timeouts_(timeouts), heard_ms_(now_ms), moved_ms_(now_ms) {}

void Liveness::heard(std::int64_t now_ms) { heard_ms_ = now_ms; }

void Liveness::heartbeat(const Heartbeat& beat, std::int64_t now_ms) {
  heard(now_ms);
  if (beat.phase == phase_ && beat.progress == progress_) return;
  phase_ = beat.phase;
  progress_ = beat.progress;
  moved_ms_ = now_ms;
}

void Liveness::request_started(std::int64_t now_ms) { moved_ms_ = now_ms; }

std::string Liveness::verdict(std::int64_t now_ms) const {
  if (now_ms - heard_ms_ > timeouts_.silence_ms) {
    return "was silent for " + format_duration(static_cast<double>(now_ms - heard_ms_) / 1000) + " (phase " + phase_ +
           ")";
  }
  if (phase_ == "idle") return "";
  const std::int64_t budget = phase_ == "load" || phase_ == "start" ? timeouts_.load_stall_ms : timeouts_.stall_ms;
  if (now_ms - moved_ms_ > budget) {
    return "hung: no progress for " + format_duration(static_cast<double>(now_ms - moved_ms_) / 1000) + " in phase " +
           phase_;
  }
  return "";
}

StartDecision decide_start(const std::vector<std::int64_t>& failures, std::int64_t now_ms,
                           const RestartPolicy& policy) {
  const auto recent =
      std::count_if(failures.begin(), failures.end(), [&](std::int64_t at) { return now_ms - at < policy.window_ms; });
  if (recent == 0) return {false, now_ms};
  if (recent >= policy.most_failures) {
    const std::int64_t oldest_counted = failures[failures.size() - static_cast<std::size_t>(policy.most_failures)];
    return {true, oldest_counted + policy.window_ms};
  }
  std::int64_t delay = policy.first_delay_ms;
  for (std::int64_t i = 1; i < recent && delay < policy.longest_delay_ms; ++i) delay *= 2;
  return {false, failures.back() + std::min(delay, policy.longest_delay_ms)};
}

}  // namespace cutd
