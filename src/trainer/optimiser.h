// AdamW on one flat parameter tensor (every LoRA matrix), and clipping by total norm.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "core/train_config.h"

namespace cutd {

// Scales `gradients` by max_norm / (norm + 1e-6) when that is below 1 (max_norm 0: never) and returns the norm before.
double clip_gradients(at::Tensor& gradients, double max_norm);

// Decoupled weight decay; betas, epsilon and decay from the configuration (train.adam_*). One thread.
class AdamW {
 public:
  AdamW(const TrainConfig& config, const at::Tensor& parameters);

  // One update of `parameters`, which have the shape and device of the constructor's.
  void step(at::Tensor& parameters, const at::Tensor& gradients, double learning_rate);

  // State, for checkpoints: running means of the gradient and of its square, and the updates made so far.
  const at::Tensor& mean() const { return mean_; }
  const at::Tensor& square_mean() const { return square_mean_; }
  std::int64_t steps() const { return steps_; }
  void restore(const at::Tensor& mean, const at::Tensor& square_mean, std::int64_t steps);

 private:
  const double beta1_;
  const double beta2_;
  const double epsilon_;
  const double weight_decay_;
  at::Tensor mean_;
  at::Tensor square_mean_;
  std::int64_t steps_ = 0;
};

}  // namespace cutd
