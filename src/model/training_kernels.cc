#include "model/training_kernels.h"

#include <algorithm>

#include "model/training_kernel_levels.h"

namespace cutd {
namespace {

constexpr std::int64_t kBlock = 64;  // query rows of a block, training_attention_templates.h

std::int64_t round_up(std::int64_t size) { return (size + 15) / 16 * 16; }

}  // namespace

std::int64_t attention_scratch_size(std::int64_t length, std::int64_t head_dim) {
  const std::int64_t padded_length = round_up(length);
  const std::int64_t padded_dim = round_up(head_dim);
  return 5 * padded_length * padded_dim + 3 * kBlock * padded_dim + 2 * kBlock * padded_length;
}

template <>
const TrainingKernels<float>& training_kernels<float>(CpuLevel level) {
#if defined(__x86_64__)
  if (level >= CpuLevel::kAvx512) return avx512_training_kernels_float();
  if (level == CpuLevel::kAvx2) return avx2_training_kernels_float();
#endif
  (void)level;
  return scalar_training_kernels_float();
}

template <>
const TrainingKernels<Bfloat16>& training_kernels<Bfloat16>(CpuLevel level) {
#if defined(__x86_64__)
  if (level >= CpuLevel::kAvx512) return avx512_training_kernels_bfloat16();
  if (level == CpuLevel::kAvx2) return avx2_training_kernels_bfloat16();
#endif
  (void)level;
  return scalar_training_kernels_bfloat16();
}

}  // namespace cutd
