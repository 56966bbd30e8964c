#include "trainer/optimiser.h"

#include <algorithm>

namespace cutd {

double clip_gradients(at::Tensor& gradients, double max_norm) {
  const double norm = at::linalg_vector_norm(gradients, 2, {}, false, at::kDouble).item<double>();
  const double factor = max_norm / (norm + 1e-6);
  if (max_norm > 0 && factor < 1) gradients.mul_(factor);
  return norm;
}

AdamW::AdamW(const TrainConfig& config, const at::Tensor& parameters)
    : beta1_(config.adam_beta1),
      beta2_(config.adam_beta2),
      epsilon_(config.adam_epsilon),
      weight_decay_(config.weight_decay),
      mean_(at::zeros_like(parameters)),
      square_mean_(at::zeros_like(parameters)) {}

void AdamW::step(at::Tensor& parameters, const at::Tensor& gradients, double learning_rate) {
  ++steps_;
  // The fused operator wants its count as an fp32 tensor on the same device, already advanced.
  const at::Tensor count = at::full({}, static_cast<float>(steps_), parameters.options());
  at::_fused_adamw_({parameters}, {gradients}, {mean_}, {square_mean_}, {}, {count}, learning_rate, beta1_, beta2_,
                    weight_decay_, epsilon_, /*amsgrad=*/false, /*maximize=*/false);
}

void AdamW::restore(const at::Tensor& mean, const at::Tensor& square_mean, std::int64_t steps) {
  mean_.copy_(mean);
  square_mean_.copy_(square_mean);
  steps_ = steps;
}

}  // namespace cutd
