#include "core/python_random.h"

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_set>

#include "core/error.h"
#include "core/hash.h"

namespace cutd {
namespace {

constexpr std::size_t kWords = 624;
constexpr std::size_t kShift = 397;

// The 32-bit digits of the integer with these big-endian bytes, least significant first, no leading zeros.
std::vector<std::uint32_t> digits_of(std::string_view big_endian) {
  std::vector<std::uint32_t> digits;
  for (std::size_t end = big_endian.size(); end > 0;) {
    const std::size_t begin = end > 4 ? end - 4 : 0;
    std::uint32_t digit = 0;
    for (std::size_t i = begin; i < end; ++i) digit = (digit << 8) | static_cast<unsigned char>(big_endian[i]);
    digits.push_back(digit);
    end = begin;
  }
  while (digits.size() > 1 && digits.back() == 0) digits.pop_back();
  return digits;
}

}  // namespace

PythonRandom::PythonRandom(std::uint64_t seed) : index_(kWords) {
  std::vector<std::uint32_t> key = {static_cast<std::uint32_t>(seed)};
  if ((seed >> 32) != 0) key.push_back(static_cast<std::uint32_t>(seed >> 32));
  seed_by_array(key);
}

PythonRandom::PythonRandom(std::string_view text) : index_(kWords) {
  seed_by_array(digits_of(std::string(text) + sha512_bytes(text)));
}

void PythonRandom::seed_by_array(const std::vector<std::uint32_t>& key) {
  state_[0] = 19650218U;
  for (std::size_t i = 1; i < kWords; ++i) {
    state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + static_cast<std::uint32_t>(i);
  }
  std::size_t i = 1;
  const auto advance = [&] {
    if (++i >= kWords) {
      state_[0] = state_[kWords - 1];
      i = 1;
    }
  };
  for (std::size_t k = 0, j = 0; k < std::max(kWords, key.size()); ++k, j = (j + 1) % key.size()) {
    state_[i] =
        (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525U)) + key[j] + static_cast<std::uint32_t>(j);
    advance();
  }
  for (std::size_t k = 0; k < kWords - 1; ++k) {
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941U)) - static_cast<std::uint32_t>(i);
    advance();
  }
  state_[0] = 0x80000000U;
}

std::uint32_t PythonRandom::next_32_bits() {
  if (index_ == kWords) {
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000U) | (state_[(i + 1) % kWords] & 0x7fffffffU);
      state_[i] = state_[(i + kShift) % kWords] ^ (y >> 1) ^ ((y & 1U) != 0 ? 0x9908b0dfU : 0U);
    }
    index_ = 0;
  }
  std::uint32_t y = state_[index_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

double PythonRandom::next_double() {
  const std::uint32_t high = next_32_bits() >> 5;
  const std::uint32_t low = next_32_bits() >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

std::uint64_t PythonRandom::below(std::uint64_t limit) {
  const int bits = std::bit_width(limit);
  std::uint64_t value = 0;
  do {
    if (bits <= 32) {
      value = next_32_bits() >> (32 - bits);
    } else {  // getrandbits fills little-endian words, the last one shifted
      value = next_32_bits();
      value |= static_cast<std::uint64_t>(next_32_bits() >> (64 - bits)) << 32;
    }
  } while (value >= limit);
  return value;
}

std::vector<std::size_t> PythonRandom::sample(std::span<const std::size_t> population, std::size_t count) {
  const std::size_t n = population.size();
  if (count > n) throw Error(ErrorCode::kInternal, "a sample larger than its population");
  // CPython shuffles a pool when a set of chosen indices would be larger than the pool itself.
  std::size_t set_size = 21;
  if (count > 5) {
    std::size_t power = 1;  // 4 ** ceil(log(3 count, 4))
    while (power < 3 * count) power *= 4;
    set_size += power;
  }
  std::vector<std::size_t> result;
  result.reserve(count);
  if (n <= set_size) {
    std::vector<std::size_t> pool(population.begin(), population.end());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t j = below(n - i);
      result.push_back(pool[j]);
      pool[j] = pool[n - i - 1];
    }
    return result;
  }
  std::unordered_set<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t j = below(n);
    while (!chosen.insert(j).second) j = below(n);
    result.push_back(population[j]);
  }
  return result;
}

}  // namespace cutd
