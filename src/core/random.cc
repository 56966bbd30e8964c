#include "core/random.h"

#include <string>

#include "core/hash.h"

namespace cutd {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiply0 = 0xD2511F53;
  constexpr std::uint64_t kMultiply1 = 0xCD9E8D57;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiply0 * counter[0];
    const std::uint64_t product1 = kMultiply1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

float philox_uniform(std::uint64_t seed, std::uint64_t step, std::uint64_t lane) {
  const auto words = philox({static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32),
                             static_cast<std::uint32_t>(lane), static_cast<std::uint32_t>(lane >> 32)},
                            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return static_cast<float>(words[0] >> 8) * 0x1p-24F;
}

std::int64_t derive_seed(std::int64_t seed, std::string_view label) {
  const std::string hex = sha256_hex(std::to_string(seed) + "/" + std::string(label));
  return static_cast<std::int64_t>(std::stoull(hex.substr(0, 16), nullptr, 16) >> 1);
}

}  // namespace cutd
