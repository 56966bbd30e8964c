#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "model/cpu_kernel_tables.h"

// GCC 12 warns of its own _mm512_undefined_ps (GCC PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// Up to the end of the file; everything included above stays baseline code.
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "model/cpu_kernel_templates.h"
#include "model/cpu_simd_avx512.h"

namespace cutd {

const CpuKernels<float> kAvx512KernelsF32 =
    make_kernels<Avx512Simd, PlainDot<Avx512Simd, float>, float, 6, 4>(CpuLevel::kAvx512);
const CpuKernels<Bfloat16> kAvx512KernelsBf16 =
    make_kernels<Avx512Simd, PlainDot<Avx512Simd, Bfloat16>, Bfloat16, 6, 4>(CpuLevel::kAvx512);

}  // namespace cutd
#endif
