// Facts from the store for decide(). Reads only.
#pragma once

#include <optional>

#include "round/evaluation_work.h"
#include "round/frozen_run.h"
#include "round/snapshot.h"
#include "store/store.h"

namespace cutd {

// What a round is about, besides its own row.
struct RoundModels {
  EvaluationTarget untrained;  // the base on the gate set: baseline of the guards
  EvaluationTarget parent;
  std::optional<EvaluationTarget> candidate;  // once its cumulative adapter is published
};
RoundModels read_round_models(Reader& reader, const FrozenRun& frozen, const Round& round, const std::string& data_dir);

RoundSnapshot read_round_snapshot(Reader& reader, const FrozenRun& frozen, const Round& round,
                                  const RoundModels& models);

// What a run reports at its end: the base and the kept model on the report set.
struct RunModels {
  EvaluationTarget untrained;
  EvaluationTarget kept;
};
RunModels read_run_models(Reader& reader, const FrozenRun& frozen, RunId run, const std::string& data_dir);

RunSnapshot read_run_snapshot(Reader& reader, const FrozenRun& frozen, const Run& run, const RunModels& models,
                              std::int64_t now);

}  // namespace cutd
