// Counter-based dropout: Philox4x32-10 gives eight elements their 16 random bits each. Written over arrays of
// counters, which the compiler turns into vectors of whatever width the target has.
#pragma once

#include <cstdint>
#include <cstring>

#include "model/training_kernels.h"

namespace cutd {
namespace {

constexpr int kPhiloxLanes = 16;        // counters advanced together
constexpr int kElementsPerCounter = 8;  // 128 bits, 16 each
constexpr int kMaskBlock = kPhiloxLanes * kElementsPerCounter;

#if defined(__GNUC__) && !defined(__clang__)
#define CUTD_VECTORISE __attribute__((optimize("O3")))
#else
#define CUTD_VECTORISE
#endif

// Random 16-bit values of elements [block * 128, block * 128 + 128) of a row. As core/random.h's philox with
// counter {element / 8, position, sequence, module}.
CUTD_VECTORISE inline void philox_block(std::uint32_t block, const DropoutRow& row, std::uint64_t key,
                                        std::uint16_t* values) {
  std::uint32_t c0[kPhiloxLanes], c1[kPhiloxLanes], c2[kPhiloxLanes], c3[kPhiloxLanes];
  for (int i = 0; i < kPhiloxLanes; ++i) {
    c0[i] = block * kPhiloxLanes + static_cast<std::uint32_t>(i);
    c1[i] = row.position;
    c2[i] = row.sequence;
    c3[i] = row.module;
  }
  std::uint32_t k0 = static_cast<std::uint32_t>(key);
  std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kPhiloxLanes; ++i) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * c0[i];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * c2[i];
      const std::uint32_t next0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1[i] ^ k0;
      const std::uint32_t next2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3[i] ^ k1;
      c1[i] = static_cast<std::uint32_t>(product1);
      c3[i] = static_cast<std::uint32_t>(product0);
      c0[i] = next0;
      c2[i] = next2;
    }
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  for (int i = 0; i < kPhiloxLanes; ++i) {
    std::uint16_t* eight = values + i * kElementsPerCounter;
    const std::uint32_t words[4] = {c0[i], c1[i], c2[i], c3[i]};
    for (int w = 0; w < 4; ++w) {
      eight[2 * w] = static_cast<std::uint16_t>(words[w]);
      eight[2 * w + 1] = static_cast<std::uint16_t>(words[w] >> 16);
    }
  }
}

inline float widen_element(float value) { return value; }
inline float widen_element(Bfloat16 value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value.bits) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}
inline void narrow_element(float value, float& to) { to = value; }
inline void narrow_element(float value, Bfloat16& to) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  to.bits = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

template <typename T>
struct DropoutKernels {
  CUTD_VECTORISE static void forward(const T* x, std::int64_t size, const DropoutRow& row, std::uint64_t key,
                                     std::uint32_t threshold, float factor, T* y) {
    std::uint16_t values[kMaskBlock];
    for (std::int64_t start = 0; start < size; start += kMaskBlock) {
      philox_block(static_cast<std::uint32_t>(start / kMaskBlock), row, key, values);
      const std::int64_t count = size - start < kMaskBlock ? size - start : kMaskBlock;
      for (std::int64_t i = 0; i < count; ++i) {
        const float kept = values[i] < threshold ? 0.0F : factor;
        narrow_element(widen_element(x[start + i]) * kept, y[start + i]);
      }
    }
  }

  CUTD_VECTORISE static void backward(const T* dy, std::int64_t size, const DropoutRow& row, std::uint64_t key,
                                      std::uint32_t threshold, float factor, T* sum) {
    std::uint16_t values[kMaskBlock];
    for (std::int64_t start = 0; start < size; start += kMaskBlock) {
      philox_block(static_cast<std::uint32_t>(start / kMaskBlock), row, key, values);
      const std::int64_t count = size - start < kMaskBlock ? size - start : kMaskBlock;
      for (std::int64_t i = 0; i < count; ++i) {
        const float kept = values[i] < threshold ? 0.0F : factor;
        narrow_element(widen_element(sum[start + i]) + widen_element(dy[start + i]) * kept, sum[start + i]);
      }
    }
  }
};

}  // namespace
}  // namespace cutd
