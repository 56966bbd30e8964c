// Sixteen-lane vectors: AVX-512. Include it after `#pragma GCC target`.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "model/cpu_kernels.h"

namespace cutd {
namespace {

struct Avx512Simd {
  static constexpr std::int64_t kWidth = 16;
  using Vector = __m512;

  static __mmask16 first(std::int64_t count) { return static_cast<__mmask16>((1U << count) - 1U); }

  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector set(float value) { return _mm512_set1_ps(value); }
  static Vector widen(__m256i bits) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)); }
  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector load(const Bfloat16* from) { return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }
  static Vector load_part(const float* from, std::int64_t count) { return _mm512_maskz_loadu_ps(first(count), from); }
  static Vector load_part(const Bfloat16* from, std::int64_t count) {
    return widen(_mm256_maskz_loadu_epi16(first(count), from));
  }
  static Vector load_part_or(const float* from, std::int64_t count, float other) {
    return _mm512_mask_loadu_ps(set(other), first(count), from);
  }
  static __m256i round_to_bfloat16(Vector value) {
    // Nearest, ties to even; a NaN keeps its upper bits and is made quiet.
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, nan, quiet), 16));
  }
  static void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
  static void store(Bfloat16* to, Vector value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), round_to_bfloat16(value));
  }
  static void store_part(float* to, Vector value, std::int64_t count) {
    _mm512_mask_storeu_ps(to, first(count), value);
  }
  static void store_part(Bfloat16* to, Vector value, std::int64_t count) {
    _mm256_mask_storeu_epi16(to, first(count), round_to_bfloat16(value));
  }

  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector divide(Vector a, Vector b) { return _mm512_div_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector maximum(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Vector minimum(Vector a, Vector b) { return _mm512_min_ps(a, b); }

  static __m128 quarters(Vector a) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
  // The same tree as sum4, so that tiling cannot change a sum.
  static float sum(Vector a) {
    const __m128 quarter = quarters(a);
    const __m128 pairs = _mm_hadd_ps(quarter, quarter);
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  static void sum4(Vector a, Vector b, Vector c, Vector d, float* out) {
    const __m128 ab = _mm_hadd_ps(quarters(a), quarters(b));
    const __m128 cd = _mm_hadd_ps(quarters(c), quarters(d));
    _mm_storeu_ps(out, _mm_hadd_ps(ab, cd));
  }
  static float largest(Vector a) { return _mm512_reduce_max_ps(a); }
  static Vector round(Vector x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Vector power_of_two(Vector n) { return _mm512_scalef_ps(set(1.0F), n); }
  static void prefetch(const void* address) { _mm_prefetch(static_cast<const char*>(address), _MM_HINT_T0); }
};

}  // namespace
}  // namespace cutd
