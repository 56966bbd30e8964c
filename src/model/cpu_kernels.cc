#include "model/cpu_kernels.h"

#include "core/error.h"
#include "model/cpu_kernel_tables.h"

namespace cutd {

template <>
const CpuKernels<float>& cpu_kernels<float>(CpuLevel level) {
  switch (level) {
    case CpuLevel::kScalar: return kScalarKernelsF32;
#if defined(__x86_64__)
    case CpuLevel::kAvx2: return kAvx2KernelsF32;
    case CpuLevel::kAvx512:
    case CpuLevel::kAvx512Bf16: return kAvx512KernelsF32;
#endif
    default: throw Error(ErrorCode::kInternal, "no CPU kernels of this level");
  }
}

template <>
const CpuKernels<Bfloat16>& cpu_kernels<Bfloat16>(CpuLevel level) {
  switch (level) {
    case CpuLevel::kScalar: return kScalarKernelsBf16;
#if defined(__x86_64__)
    case CpuLevel::kAvx2: return kAvx2KernelsBf16;
    case CpuLevel::kAvx512: return kAvx512KernelsBf16;
    case CpuLevel::kAvx512Bf16: return kAvx512Bf16KernelsBf16;
#endif
    default: throw Error(ErrorCode::kInternal, "no CPU kernels of this level");
  }
}

}  // namespace cutd
