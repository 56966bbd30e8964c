#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "model/cpu_kernel_tables.h"

// Up to the end of the file; everything included above stays baseline code.
#pragma GCC target("avx2,fma")
#include "model/cpu_kernel_templates.h"
#include "model/cpu_simd_avx2.h"

namespace cutd {

const CpuKernels<float> kAvx2KernelsF32 =
    make_kernels<Avx2Simd, PlainDot<Avx2Simd, float>, float, 2, 2>(CpuLevel::kAvx2);
const CpuKernels<Bfloat16> kAvx2KernelsBf16 =
    make_kernels<Avx2Simd, PlainDot<Avx2Simd, Bfloat16>, Bfloat16, 2, 2>(CpuLevel::kAvx2);

}  // namespace cutd
#endif
