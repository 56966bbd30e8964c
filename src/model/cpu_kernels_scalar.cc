#include "model/cpu_kernel_tables.h"
#include "model/cpu_kernel_templates.h"
#include "model/cpu_simd_scalar.h"

namespace cutd {

const CpuKernels<float> kScalarKernelsF32 =
    make_kernels<ScalarSimd, PlainDot<ScalarSimd, float>, float, 2, 2>(CpuLevel::kScalar);
const CpuKernels<Bfloat16> kScalarKernelsBf16 =
    make_kernels<ScalarSimd, PlainDot<ScalarSimd, Bfloat16>, Bfloat16, 2, 2>(CpuLevel::kScalar);

}  // namespace cutd
