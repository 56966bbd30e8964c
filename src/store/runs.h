// Runs, and the pointer to the adapter that each run serves.
#pragma once

#include <optional>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct NewRun {
  Json config;
  std::string base_model_hash;
  std::int64_t round_count = 0;
  std::int64_t patience = 0;
  std::optional<std::int64_t> budget;   // micro-dollars
  std::optional<std::int64_t> ends_at;  // wall-clock microseconds
  std::vector<InstructionId> train;     // what its rounds draw from; one that is held out is never drawn
  std::optional<AdapterId> start;       // what it serves until it promotes another; none: the base model
};

// Active. Error(kConflict) when `start` is no verified cumulative adapter.
RunId create_run(Writer& writer, const NewRun& run);
std::optional<Run> find_run(Reader& reader, RunId id);
std::vector<Run> list_runs(Reader& reader);  // by id
std::vector<Run> list_runs(Reader& reader, RunState state);

// Compare-and-set; Error(kConflict) when the run is not in `from`. A final state (completed, failed,
// cancelled) is left by none, but for failed -> active (a retry) and failed -> cancelled.
void move_run(Writer& writer, RunId run, RunState from, RunState to, const std::string& reason);

// The adapter the run serves; none: the base model. NewRun::start at first, then flipped by promote_round() alone.
std::optional<AdapterId> serving_adapter(Reader& reader, RunId run);

}  // namespace cutd
