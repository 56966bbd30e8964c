// From judgments to a published adapter: the frozen manifest, the training, the two adapter folders.
#pragma once

#include <string>

#include "round/work_context.h"
#include "store/rounds.h"

namespace cutd {

// How many examples the round's manifest holds at most: validated judgments, satisfactory ones at most
// train.downsample per criticised one; only those for objective `mle`. Pure.
std::int64_t count_training_examples(std::int64_t positives, std::int64_t negatives, const TrainConfig& config);

// How many of its examples a frozen manifest trains: all, but only the satisfactory ones for `mle`. Pure.
std::int64_t count_manifest_examples(const FrozenManifest& manifest, const TrainConfig& config);

// Writes DATA/manifests/<sha256>.jsonl from the round's validated judgments and makes its row.
void freeze_round_manifest(WorkContext& context, const Round& round, const ModelReference& parent);

// Trains from the manifest, resuming from the newest checkpoint, and publishes the delta.
void train_and_publish(WorkContext& context, const Round& round, const ModelReference& parent);

// Adds the parent's cumulative adapter and publishes the sum, which loads on the original base.
void publish_cumulative(WorkContext& context, const Round& round, const ModelReference& parent);

// "demo-1-r2": run name, run and round; adapter folders append a hash.
std::string adapter_stem(const FrozenRun& frozen, const Round& round);

}  // namespace cutd
