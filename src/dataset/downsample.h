// Which Align-P examples stay (method.md section 5), drawn exactly as CPython draws them.
#pragma once

#include <cstdint>
#include <vector>

#include "dataset/example.h"

namespace cutd {

// Ascending positions of `kinds` that are kept: every negative, and int(negatives x ratio) of the positives
// drawn with `seed`; all of them when that is no fewer than there are, or when `ratio` is negative.
std::vector<std::size_t> downsample_positives(const std::vector<ExampleKind>& kinds, double ratio, std::uint64_t seed);

}  // namespace cutd
