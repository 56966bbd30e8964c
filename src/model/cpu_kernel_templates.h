// The element-wise and attention kernels of cpu_kernels.h over a Simd struct S (cpu_simd_*.h), and the table that
// holds them all. Include it after `#pragma GCC target`, once per instruction set.
#pragma once

#include <cstdint>

#include "model/cpu_kernels.h"
#include "model/cpu_linear_template.h"

namespace cutd {
namespace {

// Calls body(offset, S::kWidth) for whole vectors and body(offset, rest) for the last part.
template <typename S, typename Body>
inline __attribute__((always_inline)) void for_vectors(std::int64_t size, Body body) {
  std::int64_t i = 0;
  for (; i + S::kWidth <= size; i += S::kWidth) body(i, S::kWidth);
  if (i < size) body(i, size - i);
}

template <typename S, typename T>
inline typename S::Vector load_some(const T* from, std::int64_t count) {
  return count == S::kWidth ? S::load(from) : S::load_part(from, count);
}
template <typename S, typename T>
inline void store_some(T* to, typename S::Vector value, std::int64_t count) {
  if (count == S::kWidth) S::store(to, value);
  else S::store_part(to, value, count);
}

// exp(x) within 2 units in the last place: x = n ln 2 + r with ln 2 in two parts, the polynomial of Cephes' expf
// (S. Moshier) for r. Below -87.3 the result is the smallest normal number instead of a subnormal one.
template <typename S>
inline typename S::Vector exponential(typename S::Vector x) {
  if constexpr (S::kWidth == 1) {
    return S::exponential(x);
  } else {
    x = S::minimum(S::maximum(x, S::set(-87.33654F)), S::set(88.37626F));
    const auto n = S::round(S::multiply(x, S::set(1.44269504F)));
    auto r = S::multiply_add(n, S::set(-0.693359375F), x);
    r = S::multiply_add(n, S::set(2.12194440e-4F), r);
    auto p = S::set(1.9875691500e-4F);
    p = S::multiply_add(p, r, S::set(1.3981999507e-3F));
    p = S::multiply_add(p, r, S::set(8.3334519073e-3F));
    p = S::multiply_add(p, r, S::set(4.1665795894e-2F));
    p = S::multiply_add(p, r, S::set(1.6666665459e-1F));
    p = S::multiply_add(p, r, S::set(5.0000001201e-1F));
    p = S::multiply_add(p, S::multiply(r, r), S::add(r, S::set(1.0F)));
    return S::multiply(p, S::power_of_two(n));
  }
}

template <typename S, typename T>
void rms_norm(const float* x, const T* weight, std::int64_t size, float epsilon, T* out) {
  auto squares = S::zero();
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    const auto value = load_some<S>(x + i, count);
    squares = S::multiply_add(value, value, squares);
  });
  const float mean = S::sum(squares) / static_cast<float>(size);
  const auto inverse = S::set(1.0F / __builtin_sqrtf(mean + epsilon));
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    store_some<S>(out + i, S::multiply(load_some<S>(x + i, count), inverse), count);  // rounded to T
    const auto scaled = S::multiply(load_some<S>(out + i, count), load_some<S>(weight + i, count));
    store_some<S>(out + i, scaled, count);
  });
}

template <typename S, typename T>
void silu_multiply(const float* gate, const float* up, std::int64_t size, T* out) {
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    const auto x = load_some<S>(gate + i, count);
    const auto denominator = S::add(S::set(1.0F), exponential<S>(S::subtract(S::zero(), x)));
    store_some<S>(out + i, S::multiply(S::divide(x, denominator), load_some<S>(up + i, count)), count);
  });
}

template <typename S, typename T>
void rotate(const float* x, const float* cos, const float* sin, std::int64_t half, T* out) {
  for_vectors<S>(half, [&](std::int64_t i, std::int64_t count) {
    const auto low = load_some<S>(x + i, count);
    const auto high = load_some<S>(x + half + i, count);
    const auto c = load_some<S>(cos + i, count);
    const auto s = load_some<S>(sin + i, count);
    store_some<S>(out + i, S::subtract(S::multiply(low, c), S::multiply(high, s)), count);
    store_some<S>(out + half + i, S::add(S::multiply(high, c), S::multiply(low, s)), count);
  });
}

template <typename S, typename T>
void convert(const float* x, std::int64_t size, T* out) {
  for_vectors<S>(
      size, [&](std::int64_t i, std::int64_t count) { store_some<S>(out + i, load_some<S>(x + i, count), count); });
}

template <typename S, typename T>
void widen(const T* x, std::int64_t size, float* out) {
  for_vectors<S>(
      size, [&](std::int64_t i, std::int64_t count) { store_some<S>(out + i, load_some<S>(x + i, count), count); });
}

template <typename S>
void add(const float* x, std::int64_t size, float* sum) {
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    store_some<S>(sum + i, S::add(load_some<S>(sum + i, count), load_some<S>(x + i, count)), count);
  });
}

constexpr float kLowest = -3.4028235e38F;

template <typename S>
float largest_of(const float* values, std::int64_t size) {
  auto most = S::set(kLowest);
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    most = S::maximum(most, count == S::kWidth ? S::load(values + i) : S::load_part_or(values + i, count, kLowest));
  });
  return S::largest(most);
}

template <typename S>
void softmax(float* scores, std::int64_t size, float scale) {
  const auto factor = S::set(scale);
  const auto most = S::set(scale * largest_of<S>(scores, size));  // scale > 0
  auto total = S::zero();
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    const auto score = count == S::kWidth ? S::load(scores + i) : S::load_part_or(scores + i, count, kLowest);
    const auto value = exponential<S>(S::subtract(S::multiply(score, factor), most));
    total = S::add(total, value);
    store_some<S>(scores + i, value, count);
  });
  const auto inverse = S::set(1.0F / S::sum(total));
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    store_some<S>(scores + i, S::multiply(load_some<S>(scores + i, count), inverse), count);
  });
}

template <typename S>
void logit_statistics(const float* logits, std::int64_t size, float* largest, std::int64_t* index, float* sum) {
  *largest = largest_of<S>(logits, size);
  const auto most = S::set(*largest);
  auto total = S::zero();
  for_vectors<S>(size, [&](std::int64_t i, std::int64_t count) {
    const auto logit = count == S::kWidth ? S::load(logits + i) : S::load_part_or(logits + i, count, kLowest);
    total = S::add(total, exponential<S>(S::subtract(logit, most)));
  });
  *sum = S::sum(total);
  std::int64_t first = 0;
  while (first + 1 < size && logits[first] != *largest) ++first;
  *index = first;
}

// Sums of kVectors vectors of values for kHeads heads, one position after the other. `part` < S::kWidth: the one
// vector is partial.
template <typename S, typename T, int kHeads, int kVectors, bool kPartial>
void weighted_sum_tile(const float* weights, std::int64_t weight_stride, CpuMatrix<T> values, std::int64_t positions,
                       std::int64_t part, T* out, std::int64_t out_stride) {
  typename S::Vector sums[kHeads][kVectors];
#pragma GCC unroll 4
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[h][v] = S::zero();
  }
  for (std::int64_t p = 0; p < positions; ++p) {
    const T* from = values.data + p * values.stride;
    typename S::Vector row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      row[v] = kPartial ? S::load_part(from, part) : S::load(from + v * S::kWidth);
    }
#pragma GCC unroll 4
    for (int h = 0; h < kHeads; ++h) {
      const auto weight = S::set(weights[h * weight_stride + p]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[h][v] = S::multiply_add(weight, row[v], sums[h][v]);
    }
  }
#pragma GCC unroll 4
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      if (kPartial) S::store_part(out + h * out_stride, sums[h][v], part);
      else S::store(out + h * out_stride + v * S::kWidth, sums[h][v]);
    }
  }
}

// All of `size` for kHeads heads: four vectors at a time, then single ones, then the part of one.
template <typename S, typename T, int kHeads>
void weighted_sum_heads(const float* weights, std::int64_t weight_stride, CpuMatrix<T> values, std::int64_t positions,
                        std::int64_t size, T* out, std::int64_t out_stride) {
  std::int64_t d = 0;
  for (; d + 4 * S::kWidth <= size; d += 4 * S::kWidth) {
    weighted_sum_tile<S, T, kHeads, 4, false>(weights, weight_stride, {values.data + d, values.stride}, positions, 0,
                                              out + d, out_stride);
  }
  for (; d + S::kWidth <= size; d += S::kWidth) {
    weighted_sum_tile<S, T, kHeads, 1, false>(weights, weight_stride, {values.data + d, values.stride}, positions, 0,
                                              out + d, out_stride);
  }
  if (d < size) {
    weighted_sum_tile<S, T, kHeads, 1, true>(weights, weight_stride, {values.data + d, values.stride}, positions,
                                             size - d, out + d, out_stride);
  }
}

template <typename S, typename T, int kHeadTile>
void weighted_sum(const float* weights, std::int64_t weight_stride, std::int64_t heads, CpuMatrix<T> values,
                  std::int64_t positions, std::int64_t size, T* out, std::int64_t out_stride) {
  while (heads > 0) {
    if (heads >= kHeadTile) {
      weighted_sum_heads<S, T, kHeadTile>(weights, weight_stride, values, positions, size, out, out_stride);
    } else if constexpr (kHeadTile > 1) {
      return weighted_sum<S, T, kHeadTile - 1>(weights, weight_stride, heads, values, positions, size, out, out_stride);
    }
    weights += kHeadTile * weight_stride;
    out += kHeadTile * out_stride;
    heads -= kHeadTile;
  }
}

// kColumns, kHeadTile: what the register file of the instruction set holds.
template <typename S, typename D, typename T, int kColumns, int kHeadTile>
constexpr CpuKernels<T> make_kernels(CpuLevel level) {
  return {level,
          16,
          linear<S, D, T, kColumns>,
          rms_norm<S, T>,
          silu_multiply<S, T>,
          rotate<S, T>,
          convert<S, T>,
          widen<S, T>,
          add<S>,
          softmax<S>,
          weighted_sum<S, T, kHeadTile>,
          logit_statistics<S>};
}

}  // namespace
}  // namespace cutd
