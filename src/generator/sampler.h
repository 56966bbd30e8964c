// Choosing the next token from a row of logits, in Hugging Face's order (libtorch.md section 8): repetition
// penalty; then, when sampling, temperature, top_k (ties kept), top_p, min_p; then softmax and one draw.
// Pure and torch-free. Randomness is counter-based: the draw depends on (seed, step) alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/sampling_config.h"

namespace cutd {

struct TokenProbability {
  std::int64_t id = 0;
  float probability = 0;
};

// Divides positive and multiplies negative logits of every id in `seen` by `penalty`, each id once.
void apply_repetition_penalty(std::span<float> logits, std::span<const std::int64_t> seen, double penalty);

// The distribution that a token is drawn from: what the filters leave, sorted by falling probability (ties by
// rising id), summing to 1. `logits` already carry the repetition penalty. temperature > 0.
std::vector<TokenProbability> filtered_distribution(std::span<const float> logits, const SamplingConfig& config);

// The lowest id of the largest logit.
std::int64_t argmax(std::span<const float> logits);

// The next token: greedy when config.temperature is 0, else drawn by inverse CDF with the uniform value of
// (seed, step). `logits` is scratch and is overwritten; `seen` are prompt and generated ids (read only when
// the repetition penalty is not 1). Error(kInternal) when a logit is NaN.
std::int64_t choose_token(std::span<float> logits, std::span<const std::int64_t> seen, const SamplingConfig& config,
                          std::uint64_t seed, std::uint64_t step);

}  // namespace cutd
