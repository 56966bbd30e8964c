// Which Align-P examples stay (method.md section 5), drawn exactly as CPython draws them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataset/example.h"

namespace cutd {

// CPython's `random.Random(seed)`: MT19937 seeded by init_by_array with the seed's 32-bit digits.
class PythonRandom {
 public:
  explicit PythonRandom(std::uint64_t seed);

  std::uint32_t next_32_bits();              // getrandbits(32)
  std::uint64_t below(std::uint64_t limit);  // _randbelow_with_getrandbits; limit > 0

  // random.sample(population, count), in draw order. Requires count <= population.size().
  std::vector<std::size_t> sample(std::span<const std::size_t> population, std::size_t count);

 private:
  std::array<std::uint32_t, 624> state_;
  std::size_t index_;
};

// Ascending positions of `kinds` that are kept: every negative, and int(negatives x ratio) of the positives
// drawn with `seed`; all of them when that is no fewer than there are, or when `ratio` is negative.
std::vector<std::size_t> downsample_positives(const std::vector<ExampleKind>& kinds, double ratio, std::uint64_t seed);

}  // namespace cutd
