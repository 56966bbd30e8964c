// Tensor operations of the hand-written training pass, forward and backward. On the CPU they run fused kernels
// (training_kernels.h) over rows in parallel; elsewhere they are compositions of LibTorch operators with the same
// meaning. Activations are [rows, columns], row-major with the last dimension contiguous; results are written to
// tensors that the caller owns, so that a step allocates next to nothing.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "model/training_kernels.h"

namespace cutd::training_ops {

// y = round(x * inverse_rms) * weight; inverse_rms is [rows] fp32.
void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y, at::Tensor& inverse_rms);
// sum (fp32) += gradient of x.
void rms_norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                       const at::Tensor& dy, at::Tensor& sum);

// gate_up: [rows, 2 I], gate first; y: [rows, I].
void silu_multiply(const at::Tensor& gate_up, at::Tensor& y);
// Replaces gate_up by its gradient.
void silu_multiply_backward(at::Tensor& gate_up, const at::Tensor& dy);

// Rotates the first `heads` heads of each row of x [rows, >= heads * head_dim] in place by the row's position;
// cos, sin: [positions, head_dim / 2] fp32. direction -1: back.
struct RotaryPositions {
  at::Tensor cos;
  at::Tensor sin;
  at::Tensor positions;  // [rows] int64, on the CPU for CPU tensors
};
void rotate(at::Tensor& x, std::int64_t heads, const RotaryPositions& rotary, double direction);

void add(const at::Tensor& x, const at::Tensor& y, at::Tensor& sum);  // sum = x + y; may be x or y itself

// values[i] = log p, log(1 - p) of labels[i] under logits[i] (fp32, overwritten), and, unless `difference` is
// undefined, difference = onehot - softmax; for fp32 it may be `logits` itself. labels: [rows] int64.
void softmax_difference(at::Tensor& logits, const at::Tensor& labels, float* log_p, float* log_not_p,
                        at::Tensor& difference);

// Dropout of one LoRA input: rows' positions and sequence numbers, the module, the key of seed and step.
struct DropoutMask {
  double probability = 0;
  std::uint64_t key = 0;
  std::uint32_t module = 0;
  std::vector<std::uint32_t> positions;  // [rows]
  std::vector<std::uint32_t> sequences;  // [rows]
  at::Tensor positions_tensor;           // the same as int64 on the device; used off the CPU only
  at::Tensor sequences_tensor;
};
void dropout(const at::Tensor& x, const DropoutMask& mask, at::Tensor& y);              // y = mask * x / (1 - p)
void dropout_backward(const at::Tensor& dy, const DropoutMask& mask, at::Tensor& sum);  // sum += mask * dy / (1 - p)

// Causal attention within each of the sequences that lie one after the other in the rows.
struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::vector<std::int64_t> lengths;  // of the sequences; they sum to the rows
  at::Tensor starts;  // [sequences + 1] int32 on the device: where each starts, then the rows; off the CPU only
};
// qkv: [rows, (heads + 2 kv_heads) head_dim], rotated; out: [rows, heads * head_dim]; log_sums: [heads, rows] fp32.
void attention(const at::Tensor& qkv, const AttentionShape& shape, at::Tensor& out, at::Tensor& log_sums);
// dqkv: as qkv, overwritten.
void attention_backward(const at::Tensor& qkv, const AttentionShape& shape, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& dout, at::Tensor& dqkv);

}  // namespace cutd::training_ops
