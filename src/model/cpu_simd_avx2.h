// Eight-lane vectors: AVX2 and FMA. Include it after `#pragma GCC target`.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "model/cpu_kernels.h"

namespace cutd {
namespace {

struct Avx2Simd {
  static constexpr std::int64_t kWidth = 8;
  using Vector = __m256;

  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector set(float value) { return _mm256_set1_ps(value); }
  static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector load(const Bfloat16* from) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  template <typename T>
  static Vector load_part(const T* from, std::int64_t count) {
    alignas(32) T part[kWidth] = {};
    for (std::int64_t i = 0; i < count; ++i) part[i] = from[i];
    return load(part);
  }
  static Vector load_part_or(const float* from, std::int64_t count, float other) {
    alignas(32) float part[kWidth];
    for (std::int64_t i = 0; i < kWidth; ++i) part[i] = i < count ? from[i] : other;
    return load(part);
  }
  static void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
  static void store(Bfloat16* to, Vector value) {
    // Nearest, ties to even; a NaN keeps its upper bits and is made quiet.
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0xD8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
  }
  template <typename T>
  static void store_part(T* to, Vector value, std::int64_t count) {
    alignas(32) T part[kWidth];
    store(part, value);
    for (std::int64_t i = 0; i < count; ++i) to[i] = part[i];
  }

  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector divide(Vector a, Vector b) { return _mm256_div_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector maximum(Vector a, Vector b) { return _mm256_max_ps(a, b); }

  static __m128 halves(Vector a) { return _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)); }
  // The same tree as sum4, so that tiling cannot change a sum.
  static float sum(Vector a) {
    const __m128 half = halves(a);
    const __m128 pairs = _mm_hadd_ps(half, half);
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  static void sum4(Vector a, Vector b, Vector c, Vector d, float* out) {
    const __m128 ab = _mm_hadd_ps(halves(a), halves(b));
    const __m128 cd = _mm_hadd_ps(halves(c), halves(d));
    _mm_storeu_ps(out, _mm_hadd_ps(ab, cd));
  }
  static float largest(Vector a) {
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_shuffle_ps(half, half, 1)));
  }
  // n with x = n ln 2 + r, and 2^n; x is clamped to the range of normal results before.
  static Vector round(Vector x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Vector minimum(Vector a, Vector b) { return _mm256_min_ps(a, b); }
  static Vector power_of_two(Vector n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
  }
  static void prefetch(const void* address) { _mm_prefetch(static_cast<const char*>(address), _MM_HINT_T0); }
};

}  // namespace
}  // namespace cutd
