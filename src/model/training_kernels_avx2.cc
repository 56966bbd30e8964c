// The training kernels for the avx2 level.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#include "model/cpu_simd_avx2.h"
#include "model/training_kernel_templates.h"
#endif
#include "model/training_kernel_levels.h"

namespace cutd {

#if defined(__x86_64__)
const TrainingKernels<float>& avx2_training_kernels_float() {
  static const TrainingKernels<float> kernels = make_training_kernels<Avx2Simd, float>();
  return kernels;
}
const TrainingKernels<Bfloat16>& avx2_training_kernels_bfloat16() {
  static const TrainingKernels<Bfloat16> kernels = make_training_kernels<Avx2Simd, Bfloat16>();
  return kernels;
}
#endif

}  // namespace cutd
