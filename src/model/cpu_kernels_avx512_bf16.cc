#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "model/cpu_kernel_tables.h"

// GCC 12 warns of its own _mm512_undefined_ps (GCC PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// Up to the end of the file; everything included above stays baseline code.
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
#include "model/cpu_kernel_templates.h"
#include "model/cpu_simd_avx512.h"

namespace cutd {
namespace {

// Pairs of bfloat16 products added to fp32 sums (VDPBF16PS): 32 elements a step.
struct PairDot {
  static constexpr std::int64_t kStep = 32;
  using Chunk = __m512bh;
  static Chunk load(const Bfloat16* from) { return reinterpret_cast<Chunk>(_mm512_loadu_si512(from)); }
  static Chunk load_part(const Bfloat16* from, std::int64_t count) {
    return reinterpret_cast<Chunk>(_mm512_maskz_loadu_epi16((1U << count) - 1U, from));
  }
  static __m512 step(__m512 sum, Chunk a, Chunk b) { return _mm512_dpbf16_ps(sum, a, b); }
};

}  // namespace

const CpuKernels<Bfloat16> kAvx512Bf16KernelsBf16 =
    make_kernels<Avx512Simd, PairDot, Bfloat16, 6, 4>(CpuLevel::kAvx512Bf16);

}  // namespace cutd
#endif
