#include "model/training_linear.h"

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

// sum += scale * left^T right, in fp32.
void add_product(at::Tensor sum, const at::Tensor& left, const at::Tensor& right, double scale) {
  if (left.scalar_type() == at::kFloat) sum.addmm_(left.t(), right, 1, scale);
  else sum.add_(at::mm(left.t(), right), scale);
}

}  // namespace

void linear_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const LoraGroup& lora,
                    LoraContext& context, at::Tensor& y, at::Tensor& hidden) {
  if (bias.defined()) at::addmm_out(y, bias, x, weight.t());
  else at::mm_out(y, x, weight.t());
  if (lora.empty()) return;
  const std::int64_t rank = lora.a.size(0) / static_cast<std::int64_t>(lora.parts.size());
  hidden = at::empty({x.size(0), lora.a.size(0)}, x.options());
  if (context.mask.probability == 0) at::mm_out(hidden, x, lora.a_compute.t());
  for (std::size_t i = 0; i < lora.parts.size(); ++i) {
    const LoraPart& part = lora.parts[i];
    at::Tensor own = rank_columns(hidden, i, rank);
    if (context.mask.probability > 0) {
      own.copy_(at::mm(masked_input(x, part, context), rank_columns(lora.a_compute.t(), i, rank)));
    }
    y.narrow(1, part.first_output, part.outputs).addmm_(own, part.b_compute.t(), 1, context.scale);
  }
}

void linear_backward(const at::Tensor& x, const at::Tensor& weight, const LoraGroup& lora, LoraContext& context,
                     const at::Tensor& hidden, const at::Tensor& dy, at::Tensor& dx) {
  if (dx.defined()) at::mm_out(dx, dy, weight);
  if (lora.empty()) return;
  const std::int64_t rank = lora.a.size(0) / static_cast<std::int64_t>(lora.parts.size());
  at::Tensor dhidden = at::empty_like(hidden);
  for (std::size_t i = 0; i < lora.parts.size(); ++i) {
    const LoraPart& part = lora.parts[i];
    const at::Tensor part_dy = dy.narrow(1, part.first_output, part.outputs);
    add_product(part.b_gradient, part_dy, rank_columns(hidden, i, rank), context.scale);
    at::Tensor own = rank_columns(dhidden, i, rank);
    own.copy_(at::mm(part_dy, part.b_compute));
    own.mul_(context.scale);
    if (context.mask.probability == 0) continue;
    add_product(lora.a_gradient.narrow(0, static_cast<std::int64_t>(i) * rank, rank), own,
                masked_input(x, part, context), 1);
    if (!dx.defined()) continue;
    context.mask.module = part.number;
    training_ops::dropout_backward(at::mm(own, lora.a_compute.narrow(0, static_cast<std::int64_t>(i) * rank, rank)),
                                   context.mask, dx);
  }
  if (context.mask.probability > 0) return;
  add_product(lora.a_gradient, dhidden, x, 1);
  if (dx.defined()) dx.addmm_(dhidden, lora.a_compute);
}

}  // namespace cutd
