// The training kernels for the scalar level.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "model/cpu_simd_scalar.h"
#include "model/training_kernel_levels.h"
#include "model/training_kernel_templates.h"

namespace cutd {

const TrainingKernels<float>& scalar_training_kernels_float() {
  static const TrainingKernels<float> kernels = make_training_kernels<ScalarSimd, float>();
  return kernels;
}
const TrainingKernels<Bfloat16>& scalar_training_kernels_bfloat16() {
  static const TrainingKernels<Bfloat16> kernels = make_training_kernels<ScalarSimd, Bfloat16>();
  return kernels;
}

}  // namespace cutd
