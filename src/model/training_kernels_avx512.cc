// The training kernels for the avx512 level.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
// GCC 12 takes the undefined operand inside its own intrinsics for an uninitialised variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include "model/cpu_simd_avx512.h"
#include "model/training_kernel_templates.h"
#endif
#include "model/training_kernel_levels.h"

namespace cutd {

#if defined(__x86_64__)
const TrainingKernels<float>& avx512_training_kernels_float() {
  static const TrainingKernels<float> kernels = make_training_kernels<Avx512Simd, float>();
  return kernels;
}
const TrainingKernels<Bfloat16>& avx512_training_kernels_bfloat16() {
  static const TrainingKernels<Bfloat16> kernels = make_training_kernels<Avx512Simd, Bfloat16>();
  return kernels;
}
#endif

}  // namespace cutd
