// The tables of training_kernels.h, one per instruction set and element type. Calling one is safe on any CPU
// only for its getter; its functions need the instruction set.
#pragma once

#include "model/training_kernels.h"

namespace cutd {

const TrainingKernels<float>& scalar_training_kernels_float();
const TrainingKernels<Bfloat16>& scalar_training_kernels_bfloat16();
#if defined(__x86_64__)
const TrainingKernels<float>& avx2_training_kernels_float();
const TrainingKernels<Bfloat16>& avx2_training_kernels_bfloat16();
const TrainingKernels<float>& avx512_training_kernels_float();
const TrainingKernels<Bfloat16>& avx512_training_kernels_bfloat16();
#endif

}  // namespace cutd
