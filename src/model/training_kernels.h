// The CPU arithmetic of training that LibTorch has no fast operator for: fused element-wise passes, the head's
// softmax, dropout, causal attention with its gradient. One table of functions per element type and instruction
// set, as cpu_kernels.h; `T` is what activations are stored in, every sum is fp32. No function allocates or
// starts threads; results depend on the arguments only.
#pragma once

#include <cstdint>

#include "model/cpu_kernels.h"

namespace cutd {

// Causal attention of one sequence for one key/value head and the `group` query heads that share it. Rows of q,
// k, v and their gradients lie `stride` elements apart (parts of the fused qkv), rows of the output `out_stride`.
template <typename T>
struct AttentionTask {
  std::int64_t length;
  std::int64_t head_dim;
  std::int64_t group;
  float scale;
  std::int64_t stride;
  std::int64_t out_stride;
  const T* q;  // head h of the group starts at q + h * head_dim, so do out, out_gradient, q_gradient
  const T* k;
  const T* v;
  T* out;           // written by forward, read by backward
  float* log_sums;  // [group, log_sums_stride]: log of the sum of exp(scaled score); as out
  std::int64_t log_sums_stride;
  const T* out_gradient;  // backward only, as all below
  T* q_gradient;
  T* k_gradient;
  T* v_gradient;
};

// Floats of scratch memory that either direction needs.
std::int64_t attention_scratch_size(std::int64_t length, std::int64_t head_dim);

// What a dropout mask depends on besides element and key (architecture section 8).
struct DropoutRow {
  std::uint32_t position;  // in its sequence
  std::uint32_t sequence;  // example and context
  std::uint32_t module;    // layer and module
};

template <typename T>
struct TrainingKernels {
  // y = round(x * inverse_rms) * weight, where 1 / inverse_rms^2 = mean(x^2) + epsilon.
  void (*rms_norm)(const T* x, const T* weight, std::int64_t size, float epsilon, T* y, float* inverse_rms);
  // dx += d(rms_norm)/dx . dy
  void (*rms_norm_backward)(const T* x, const T* weight, float inverse_rms, const T* dy, std::int64_t size, float* dx);

  // y = gate * sigmoid(gate) * up
  void (*silu_multiply)(const T* gate, const T* up, std::int64_t size, T* y);
  // From dy = dLoss/dy.
  void (*silu_multiply_backward)(const T* gate, const T* up, const T* dy, std::int64_t size, T* dgate, T* dup);

  // One head in place: x'[d] = x[d] cos - x[d + half] sin, x'[d + half] = x[d + half] cos + x[d] sin; with
  // `direction` -1 the inverse rotation, which is also the gradient's.
  void (*rotate)(T* x, const float* cos, const float* sin, std::int64_t half, float direction);

  void (*add)(const T* x, const T* y, std::int64_t size, T* sum);  // sum = x + y
  void (*accumulate)(const T* x, std::int64_t size, float* sum);   // sum += x
  void (*convert)(const float* x, std::int64_t size, T* y);

  // From a row of logits: log p and log(1 - p) of `label`, and difference = onehot(label) - softmax (may be
  // `logits` itself when T is float). 1 - p is the sum of the other exponentials over the sum of all.
  // Overwrites `logits`.
  void (*softmax_difference)(float* logits, std::int64_t size, std::int64_t label, float* log_p, float* log_not_p,
                             T* difference);

  // y[i] = keep(i) ? x[i] * factor : 0; element i is dropped when the 16 bits Philox gives it are below `threshold`.
  void (*dropout)(const T* x, std::int64_t size, const DropoutRow& row, std::uint64_t key, std::uint32_t threshold,
                  float factor, T* y);
  // The same mask on a gradient: sum[i] += keep(i) ? dy[i] * factor : 0.
  void (*dropout_backward)(const T* dy, std::int64_t size, const DropoutRow& row, std::uint64_t key,
                           std::uint32_t threshold, float factor, T* sum);

  void (*attention)(const AttentionTask<T>& task, float* scratch);
  void (*attention_backward)(const AttentionTask<T>& task, float* scratch);
};

// T: float or Bfloat16.
template <typename T>
const TrainingKernels<T>& training_kernels(CpuLevel level);

}  // namespace cutd
