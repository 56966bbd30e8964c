// A frozen linear layer with its unmerged LoRA, forward and backward by hand.
#pragma once

#include <ATen/ATen.h>

#include "model/trainable_lora.h"
#include "model/training_ops.h"

namespace cutd {

// What the parts of a pack have in common.
struct LoraContext {
  double scale = 1;
  training_ops::DropoutMask mask;  // probability 0: no dropout; `module` is set per part
};

// y = x W^T + bias + LoRA. `hidden` receives dropout(x) A^T of all parts, [rows, parts * r]; undefined when the
// group is empty. y is written whole.
void linear_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const LoraGroup& lora,
                    LoraContext& context, at::Tensor& y, at::Tensor& hidden);

// Adds to the gradients of A and B, and, unless `dx` is undefined, writes the gradient of x.
void linear_backward(const at::Tensor& x, const at::Tensor& weight, const LoraGroup& lora, LoraContext& context,
                     const at::Tensor& hidden, const at::Tensor& dy, at::Tensor& dx);

}  // namespace cutd
