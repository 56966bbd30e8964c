// When a run of rounds ends. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cutd {

struct StopRule {
  std::int64_t rounds = 1;
  std::int64_t patience = 2;         // consecutive rejections; 0: never
  std::int64_t budget = 0;           // micro-dollars; 0: no paid annotator, no limit
  std::int64_t end_wall_micros = 0;  // wall time after which no round starts; 0: none
};

struct RunFacts {
  std::int64_t rounds_finished = 0;         // completed, promoted or not
  std::int64_t consecutive_rejections = 0;  // up to and including the last round
  std::int64_t spent = 0;                   // micro-dollars
  std::int64_t now_wall_micros = 0;
  std::int64_t instructions_left = 0;  // training instructions no round of the run has used
  std::int64_t instructions_per_round = 0;
};

// Why no further round starts, or nothing when one does.
std::optional<std::string> stop_reason(const StopRule& rule, const RunFacts& facts);

// Which of them ended a run, from that sentence: "rounds", "patience", "budget", "end_time" or "instructions"; "" for
// any other text.
std::string stop_cause(const std::string& reason);

}  // namespace cutd
