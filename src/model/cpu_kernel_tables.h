// The tables of kernels that the translation units of the instruction sets define; cpu_kernels() chooses.
#pragma once

#include "model/cpu_kernels.h"

namespace cutd {

extern const CpuKernels<float> kScalarKernelsF32;
extern const CpuKernels<Bfloat16> kScalarKernelsBf16;
#if defined(__x86_64__)
extern const CpuKernels<float> kAvx2KernelsF32;
extern const CpuKernels<Bfloat16> kAvx2KernelsBf16;
extern const CpuKernels<float> kAvx512KernelsF32;
extern const CpuKernels<Bfloat16> kAvx512KernelsBf16;
extern const CpuKernels<Bfloat16> kAvx512Bf16KernelsBf16;  // with the bfloat16 dot product

// CpuKernels::linear on tile registers (cpu_linear_amx.cc).
void amx_bf16_linear(CpuMatrix<Bfloat16> weight, std::int64_t outs, CpuMatrix<Bfloat16> input, std::int64_t rows,
                     std::int64_t depth, float* out, std::int64_t out_stride);
#endif

}  // namespace cutd
