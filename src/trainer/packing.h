// How the contexts of a step's examples are executed: packs of at most so many tokens. A pack never changes the loss;
// which rows must run together, and which need no gradient, follows from the objective. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/train_config.h"
#include "dataset/example.h"

namespace cutd {

// One context of the example at position `example` of the step.
struct PackRow {
  std::size_t example = 0;
  bool judged = false;
};

struct Pack {
  std::vector<PackRow> rows;
  std::int64_t tokens = 0;
};

struct StepPacks {
  std::vector<Pack> values;     // first: rows whose gradient is 0, without graph
  std::vector<Pack> gradients;  // both contexts of an example stand in one pack where both have a gradient
};

// Rows keep the order of the examples. An example that alone exceeds `pack_tokens` has a pack of its own.
StepPacks plan_packs(const ObjectiveConfig& objective, std::span<const TrainingExample* const> step,
                     std::int64_t pack_tokens);

// The budget after memory ran out: half of the largest pack. 0 when every pack holds one example already, so that
// smaller ones cannot be made.
std::int64_t smaller_budget(const StepPacks& packs);

}  // namespace cutd
