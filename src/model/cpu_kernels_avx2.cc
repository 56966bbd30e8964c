#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "model/cpu_kernel_tables.h"

// Up to the end of the file; everything included above stays baseline code.
#pragma GCC target("avx2,fma")
#include "model/cpu_kernel_templates.h"
#include "model/cpu_simd_avx2.h"

namespace cutd {
namespace {

// Sixteen bfloat16 numbers as the fp32 vectors of its even and of its odd elements: one instruction each, where vectors
// in the order of memory take two and a second load. A sum of products does not mind the order.
struct SplitDot {
  static constexpr std::int64_t kStep = 16;
  struct Chunk {
    __m256 even;
    __m256 odd;
  };
  static Chunk load(const Bfloat16* from) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xFFFF0000U));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(bits, 16)), _mm256_castsi256_ps(_mm256_and_si256(bits, upper))};
  }
  static Chunk load_part(const Bfloat16* from, std::int64_t count) {
    alignas(32) Bfloat16 part[kStep] = {};
    for (std::int64_t i = 0; i < count; ++i) part[i] = from[i];
    return load(part);
  }
  static __m256 step(__m256 sum, const Chunk& a, const Chunk& b) {
    return _mm256_fmadd_ps(a.odd, b.odd, _mm256_fmadd_ps(a.even, b.even, sum));
  }
};

}  // namespace

const CpuKernels<float> kAvx2KernelsF32 =
    make_kernels<Avx2Simd, PlainDot<Avx2Simd, float>, float, 3, 2>(CpuLevel::kAvx2);
const CpuKernels<Bfloat16> kAvx2KernelsBf16 = make_kernels<Avx2Simd, SplitDot, Bfloat16, 2, 2>(CpuLevel::kAvx2);

}  // namespace cutd
#endif
