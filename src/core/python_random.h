// CPython's `random.Random`, bit for bit: what published code drew with it can be drawn again (which Align-P examples
// stay, which of two outputs AlpacaEval shows first).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cutd {

// MT19937 seeded by init_by_array (Matsumoto and Nishimura, 2002). One thread.
class PythonRandom {
 public:
  explicit PythonRandom(std::uint64_t seed);  // random.Random(seed): the key is the seed's 32-bit digits
  // random.Random("text"): the key is the integer whose big-endian bytes are those of the text in UTF-8, then their
  // SHA-512 (Lib/random.py, version 2 of seed()).
  explicit PythonRandom(std::string_view text);

  std::uint32_t next_32_bits();              // getrandbits(32)
  double next_double();                      // random(): uniform in [0, 1) with 53 bits
  std::uint64_t below(std::uint64_t limit);  // _randbelow_with_getrandbits; limit > 0

  // random.sample(population, count), in draw order. Requires count <= population.size().
  std::vector<std::size_t> sample(std::span<const std::size_t> population, std::size_t count);

 private:
  void seed_by_array(const std::vector<std::uint32_t>& key);

  std::array<std::uint32_t, 624> state_;
  std::size_t index_;
};

}  // namespace cutd
