#include "model/training_linear.h"

#include "model/matrix_product.h"

namespace cutd {
namespace {

at::Tensor rank_columns(const at::Tensor& hidden, std::size_t part, std::int64_t rank) {
  return hidden.narrow(1, static_cast<std::int64_t>(part) * rank, rank);
}

at::Tensor masked_input(const at::Tensor& x, const LoraPart& part, LoraContext& context) {
  context.mask.module = part.number;
  at::Tensor masked = at::empty_like(x);
  training_ops::dropout(x, context.mask, masked);
  return masked;
}

// y = x W^T + bias.
void multiply_by_weight(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::Tensor& y,
                        matrix_product::Path path) {
  if (!bias.defined()) {
    matrix_product::multiply(x, weight.t(), y, path);
  } else if (path == matrix_product::Path::kDirect) {
    at::addmm_out(y, bias, x, weight.t());
  } else {
    y.copy_(bias.expand_as(y));
    matrix_product::add_product(x, weight.t(), 1, y, path);
  }
}

}  // namespace

void linear_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const LoraGroup& lora,
                    LoraContext& context, at::Tensor& y, at::Tensor& hidden) {
  const matrix_product::Path path = matrix_product::path_for(x.scalar_type(), x.device());
  multiply_by_weight(x, weight, bias, y, path);
  if (lora.empty()) return;
  const std::int64_t rank = lora.a.size(0) / static_cast<std::int64_t>(lora.parts.size());
  hidden = at::empty({x.size(0), lora.a.size(0)}, x.options());
  if (context.mask.probability == 0) matrix_product::multiply(x, lora.a_compute.t(), hidden, path);
  for (std::size_t i = 0; i < lora.parts.size(); ++i) {
    const LoraPart& part = lora.parts[i];
    at::Tensor own = rank_columns(hidden, i, rank);
    if (context.mask.probability > 0) {
      matrix_product::multiply(masked_input(x, part, context), rank_columns(lora.a_compute.t(), i, rank), own, path);
    }
    matrix_product::add_product(own, part.b_compute.t(), context.scale, y.narrow(1, part.first_output, part.outputs),
                                path);
  }
}

void linear_backward(const at::Tensor& x, const at::Tensor& weight, const LoraGroup& lora, LoraContext& context,
                     const at::Tensor& hidden, const at::Tensor& dy, at::Tensor& dx) {
  const matrix_product::Path path = matrix_product::path_for(x.scalar_type(), x.device());
  if (dx.defined()) matrix_product::multiply(dy, weight, dx, path);
  if (lora.empty()) return;
  const std::int64_t rank = lora.a.size(0) / static_cast<std::int64_t>(lora.parts.size());
  at::Tensor dhidden = at::empty_like(hidden);
  for (std::size_t i = 0; i < lora.parts.size(); ++i) {
    const LoraPart& part = lora.parts[i];
    const at::Tensor part_dy = dy.narrow(1, part.first_output, part.outputs);
    matrix_product::add_product(part_dy.t(), rank_columns(hidden, i, rank), context.scale, part.b_gradient, path);
    at::Tensor own = rank_columns(dhidden, i, rank);
    matrix_product::multiply(part_dy, part.b_compute, own, path);
    own.mul_(context.scale);
    if (context.mask.probability == 0) continue;
    const std::int64_t first = static_cast<std::int64_t>(i) * rank;
    matrix_product::add_product(own.t(), masked_input(x, part, context), 1, lora.a_gradient.narrow(0, first, rank),
                                path);
    if (!dx.defined()) continue;
    context.mask.module = part.number;
    training_ops::dropout_backward(matrix_product::product(own, lora.a_compute.narrow(0, first, rank), path),
                                   context.mask, dx);
  }
  if (context.mask.probability > 0) return;
  matrix_product::add_product(dhidden.t(), x, 1, lora.a_gradient, path);
  if (dx.defined()) matrix_product::add_product(dhidden, lora.a_compute, 1, dx, path);
}

}  // namespace cutd
