// Checkpoints of a training: folders `checkpoint-<step>` with the adapter, the optimiser's state and where the data
// stand. Written whole or not at all; the newest two are kept.
//
//   checkpoint-12/adapter/              PEFT layout, fp32
//   checkpoint-12/optimiser.safetensors mean, square_mean: flat, in the order of TrainableLora::parameters()
//   checkpoint-12/state.json            everything else, with the hashes of the two above
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/json.h"
#include "weights/peft.h"

namespace cutd {

// Sums over the steps done, so that a resumed training reports what an uninterrupted one does.
struct TrainingTotals {
  double loss = 0;
  double detected_fraction = 0;
  std::int64_t tokens = 0;
  double last_loss = 0;
};

struct CheckpointState {
  std::int64_t step = 0;         // optimiser steps done
  std::int64_t pack_tokens = 0;  // halved when memory ran out
  TrainingTotals totals;
  Json work;     // what is trained: configuration, hashes of data, base and start values
  Json machine;  // on what: device, CPU, threads; equal bits are promised for equal ones
};

struct Checkpoint {
  CheckpointState state;
  PeftAdapter adapter;
  at::Tensor mean;  // fp32, on the CPU
  at::Tensor square_mean;
};

// Publishes DIRECTORY/checkpoint-<step> durably and removes all but the newest two. Passes fault point
// "train.checkpoint" before it is published.
std::filesystem::path write_checkpoint(const std::filesystem::path& directory, const Checkpoint& checkpoint);

// The newest complete checkpoint of `directory` (which may be absent). Unfinished and damaged ones are removed; the
// messages say which.
struct FoundCheckpoint {
  std::optional<Checkpoint> checkpoint;
  std::vector<std::string> messages;
};
FoundCheckpoint find_checkpoint(const std::filesystem::path& directory, const ModelConfig& model);

// Whether there is anything named like a checkpoint.
bool has_checkpoints(const std::filesystem::path& directory);

// "train.learning_rate (0.001, now 0.0004), data_sha256 (…)" of two JSON objects; empty when they are equal.
std::string describe_differences(const Json& then, const Json& now);

}  // namespace cutd
