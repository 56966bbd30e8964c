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

// The frozen head. Logits are fp32 always; over a bfloat16 base on the CPU, a run widens the weights once for all its
// rows.
class TrainingHead {
 public:
  explicit TrainingHead(const DecoderWeights& weights);

  // rows: [n, hidden], after the final norm; labels: [n] int64 on the same device.
  HeadValues run(const at::Tensor& rows, const at::Tensor& labels, bool directions) const;

 private:
  const DecoderWeights& weights_;
};

}  // namespace cutd
