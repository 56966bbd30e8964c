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
#endif

}  // namespace cutd
