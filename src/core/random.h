// Counter-based randomness (Philox4x32-10, Salmon et al., SC 2011): a value depends only on its key
// and counter, so order, batching, threads and resume cannot change it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cutd {

// Ten rounds of Philox4x32 on `counter` under `key`.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// Uniform in [0, 1) with 24 bits, from (seed, step, lane).
float philox_uniform(std::uint64_t seed, std::uint64_t step, std::uint64_t lane = 0);

// A 63-bit seed derived from a parent seed and a label ("round 3 instruction ab12… sample 0").
std::int64_t derive_seed(std::int64_t seed, std::string_view label);

}  // namespace cutd
