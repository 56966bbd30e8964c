// An adapter folded into a copy of its base: a Hugging Face folder of its own, for programs that take no adapters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

namespace cutd {

struct MergeJob {
  std::filesystem::path model_dir;
  std::filesystem::path adapter_dir;
  std::filesystem::path output_dir;  // must not exist
  std::string dtype = "";            // of the new model's numbers, "float32" or "bfloat16"; empty: the base's
  std::string device = "auto";       // of the comparison
};

// Tensors written, of how many.
using MergeProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Writes W = round(W0 + scale B A), summed in fp32 and rounded to the new model's type, into the base's files (shards
// stay shards), re-reads the result and publishes it durably. Returns the largest absolute difference of any logit
// between the written model and base + adapter unrounded, both computed in fp32 on a fixed probe of token ids.
// Error: kUsage (unknown dtype), kConflict (output exists), kBadInput (adapter and base do not fit), kCancelled.
double merge_model(const MergeJob& job, const std::stop_token& stop, const MergeProgress& progress);

}  // namespace cutd
