// What decide() looks at: facts read from the store in one snapshot, nothing from memory. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/domain.h"
#include "evaluation/promotion.h"

namespace cutd {

// How far an evaluation (of one model, on one held-out set) is.
struct EvaluationFacts {
  bool planned = false;             // its units exist
  std::optional<UnitId> open_unit;  // first unit without responses
  std::int64_t judgments_pending = 0;
  std::int64_t judgments_done = 0;
  std::int64_t judgments_failed = 0;
  std::string judgment_failure;         // why one of them failed
  std::int64_t responses_unscored = 0;  // without log-probability under the original model
  bool done = false;
};

// How far a round's canaries, or its anchors, are.
struct CanaryFacts {
  bool wanted = false;
  bool planned = false;
  std::int64_t judgments_pending = 0;
};

struct RoundSnapshot {
  RoundId id;
  Phase phase = Phase::kCreated;
  std::string pause_reason;      // phase paused only
  bool disk_low = false;         // less free space than the configured floor
  double max_missing_share = 0;  // of an evaluation's judgments

  std::optional<EvaluationFacts> baseline;  // of the base on the gate set; none when the round starts from the base
  EvaluationFacts parent;                   // of the model the round starts from, on the gate set
  EvaluationFacts candidate;                // of what it trained; empty before that is published

  bool planned = false;             // generation units exist
  std::optional<UnitId> open_unit;  // first unit without responses
  std::int64_t responses = 0;
  std::int64_t judgments_pending = 0;
  std::int64_t judgments_failed = 0;
  std::string judgment_failure;  // why one of them failed
  std::int64_t positives = 0;    // validated judgments
  std::int64_t negatives = 0;

  std::int64_t training_examples = 0;  // what the manifest holds; before it is frozen, at most will hold
  std::int64_t min_training_examples = 1;
  bool manifest = false;
  bool delta = false;  // published and verified
  bool cumulative = false;
  std::optional<PromotionVerdict> verdict;  // once both evaluations are done

  CanaryFacts canaries;
  CanaryFacts anchors;  // known once the candidate can be compared (anchors.h)
  // Why what the judges said must be looked at before it trains (phase judging) or promotes (evaluating); empty:
  // nothing is wrong with it, or a person has acknowledged what is.
  std::string alarm;
};

struct RunSnapshot {
  RunState state = RunState::kActive;
  double max_missing_share = 0;       // of an evaluation's judgments
  std::optional<RoundId> open_round;  // neither completed nor cancelled
  bool open_round_failed = false;
  std::string open_round_reason;
  std::optional<std::string> stop_reason;  // no further round (evaluation/stop_rule.h)
  EvaluationFacts untrained;               // on the report set
  EvaluationFacts kept;
};

}  // namespace cutd
