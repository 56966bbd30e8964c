// The arithmetic of the CPU decoder, one table of functions per element type and instruction set. Matrices are
// row-major; `T` is what weights, cache and inputs of linear layers are stored in (float or Bfloat16), sums are
// fp32. Each result is one fixed sequence of operations over its own inputs: rows, tiling and threads do not
// change its bits.
#pragma once

#include <cstdint>

#include "model/cpu_level.h"

namespace cutd {

// Storage of a bfloat16 value.
struct Bfloat16 {
  std::uint16_t bits;
};

template <typename T>
struct CpuMatrix {
  const T* data;
  std::int64_t stride;  // elements from one row to the next
};

constexpr std::int64_t kMostOutputs = 64;

template <typename T>
struct CpuKernels {
  CpuLevel level;
  std::int64_t most_outputs;  // of a linear layer that are worth asking for at once: 16 to kMostOutputs

  // out[m * out_stride + n] = sum over k < depth of weight[n, k] * input[m, k], for n < outs, m < rows.
  void (*linear)(CpuMatrix<T> weight, std::int64_t outs, CpuMatrix<T> input, std::int64_t rows, std::int64_t depth,
                 float* out, std::int64_t out_stride);

  // out = round(x / rms(x)) * weight, as Llama does it: rounded to T before the product with the weight.
  void (*rms_norm)(const float* x, const T* weight, std::int64_t size, float epsilon, T* out);

  // out = gate * sigmoid(gate) * up
  void (*silu_multiply)(const float* gate, const float* up, std::int64_t size, T* out);

  // Rotates one head: pairs (d, d + half), see rope.h.
  void (*rotate)(const float* x, const float* cos, const float* sin, std::int64_t half, T* out);

  void (*convert)(const float* x, std::int64_t size, T* out);
  void (*widen)(const T* x, std::int64_t size, float* out);
  void (*add)(const float* x, std::int64_t size, float* sum);  // sum += x

  // In place: scores become softmax(scale * scores).
  void (*softmax)(float* scores, std::int64_t size, float scale);

  // out[h, d] = sum over p < positions of weights[h * weight_stride + p] * values[p, d], rounded to T; h < heads.
  void (*weighted_sum)(const float* weights, std::int64_t weight_stride, std::int64_t heads, CpuMatrix<T> values,
                       std::int64_t positions, std::int64_t size, T* out, std::int64_t out_stride);

  // Of `size` > 0 logits: the largest, its first index and the sum of exp(logit - largest).
  void (*logit_statistics)(const float* logits, std::int64_t size, float* largest, std::int64_t* index, float* sum);
};

// The kernels of a level that is available on this CPU. T: float or Bfloat16.
template <typename T>
const CpuKernels<T>& cpu_kernels(CpuLevel level);

}  // namespace cutd
