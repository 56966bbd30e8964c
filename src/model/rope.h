// Rotary position embedding (rotate-half layout): the frequencies of a configuration and their tables.
#pragma once

#include <cstdint>
#include <vector>

#include "weights/model_config.h"

namespace cutd {

// Angle per position of pair i, i < head_dim / 2; rounded to fp32 as Hugging Face does. Formulas: RopeConfig.
std::vector<float> rope_inverse_frequencies(const ModelConfig& config);

// cos and sin of position * frequency for positions [0, positions), fp32, [positions, head_dim / 2] each.
// Element d of a head pairs with d + head_dim / 2: x'[d] = x[d] cos - x[d + h] sin, x'[d + h] = x[d + h] cos + x[d]
// sin.
struct RopeTables {
  std::int64_t positions = 0;
  std::int64_t half = 0;  // head_dim / 2
  std::vector<float> cos;
  std::vector<float> sin;
};
RopeTables make_rope_tables(const ModelConfig& config, std::int64_t positions);

}  // namespace cutd
