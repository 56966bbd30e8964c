// Attention of a pack on a GPU in one variable-length kernel per direction (LibTorch's FlashAttention 2): no padding,
// grouped key and value heads as they are. Same meaning as training_ops::attention; bf16 products, fp32 sums.
#pragma once

#include "model/training_ops.h"

namespace cutd::training_ops::packed {

// Whether the kernel can do it: bf16 on CUDA, head_dim a multiple of 8 up to 256, shape.starts given.
bool suits(const at::Tensor& qkv, const AttentionShape& shape);

// As training_ops::attention and attention_backward. The backward sums in a fixed order, so that training repeats.
void attention(const at::Tensor& qkv, const AttentionShape& shape, at::Tensor& out, at::Tensor& log_sums);
void attention_backward(const at::Tensor& qkv, const AttentionShape& shape, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& dout, at::Tensor& dqkv);

}  // namespace cutd::training_ops::packed
