// The operations of training_ops.h as compositions of LibTorch operators: they run on any device, and are what
// the CPU kernels are tested against.
#pragma once

#include "model/training_ops.h"

namespace cutd::training_ops::generic {

void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y, at::Tensor& inverse_rms);
void rms_norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                       const at::Tensor& dy, at::Tensor& sum);
void silu_multiply(const at::Tensor& gate_up, at::Tensor& y);
void silu_multiply_backward(at::Tensor& gate_up, const at::Tensor& dy);
void rotate(at::Tensor& x, std::int64_t heads, const RotaryPositions& rotary, double direction);
void softmax_difference(at::Tensor& logits, const at::Tensor& labels, float* log_p, float* log_not_p,
                        at::Tensor& difference);
void dropout(const at::Tensor& x, const DropoutMask& mask, at::Tensor& y);
void dropout_backward(const at::Tensor& dy, const DropoutMask& mask, at::Tensor& sum);
void attention(const at::Tensor& qkv, const AttentionShape& shape, at::Tensor& out, at::Tensor& log_sums);
void attention_backward(const at::Tensor& qkv, const AttentionShape& shape, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& dout, at::Tensor& dqkv);

}  // namespace cutd::training_ops::generic
