#include "model/cpu_kernels.h"

#include "core/error.h"
#include "model/cpu_kernel_tables.h"

namespace cutd {
namespace {

#if defined(__x86_64__)
// Those of AVX-512 with another linear layer: nothing else multiplies matrices.
CpuKernels<Bfloat16> amx_bf16_kernels() {
  CpuKernels<Bfloat16> kernels = kAvx512Bf16KernelsBf16;
  kernels.level = CpuLevel::kAmxBf16;
  kernels.most_outputs = kMostOutputs;  // few rows of x are transposed once for all of them
  kernels.linear = amx_bf16_linear;
  return kernels;
}
#endif

}  // namespace

template <>
const CpuKernels<float>& cpu_kernels<float>(CpuLevel level) {
  switch (level) {
    case CpuLevel::kScalar: return kScalarKernelsF32;
#if defined(__x86_64__)
    case CpuLevel::kAvx2: return kAvx2KernelsF32;
    case CpuLevel::kAvx512:
    case CpuLevel::kAvx512Bf16:
    case CpuLevel::kAmxBf16: return kAvx512KernelsF32;
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
    case CpuLevel::kAmxBf16: {
      static const CpuKernels<Bfloat16> kernels = amx_bf16_kernels();
      return kernels;
    }
#endif
    default: throw Error(ErrorCode::kInternal, "no CPU kernels of this level");
  }
}

}  // namespace cutd
