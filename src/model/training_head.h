// The head over label rows only, in chunks: nothing of shape [tokens, vocabulary] lives longer than a chunk.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "model/decoder_weights.h"

namespace cutd {

struct HeadValues {
  std::vector<float> log_p;      // of each row's label
  std::vector<float> log_not_p;  // log(1 - p), from the sum of the other exponentials; -inf where that is 0
  at::Tensor directions;         // [rows, hidden] (onehot - softmax) W in the weights' type; undefined unless asked for
};

// The frozen head. Keeps fp32 weights of its own when the base is bfloat16 on the CPU: logits are fp32 always.
class TrainingHead {
 public:
  explicit TrainingHead(const DecoderWeights& weights);

  // rows: [n, hidden], after the final norm; labels: [n] int64 on the same device.
  HeadValues run(const at::Tensor& rows, const at::Tensor& labels, bool directions) const;

 private:
  at::Tensor logits(const at::Tensor& rows) const;

  const DecoderWeights& weights_;
};

}  // namespace cutd
