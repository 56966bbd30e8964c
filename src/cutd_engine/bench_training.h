// Speed of training on random data: whole optimiser steps, as `train` does them.
#pragma once

#include <cstdint>
#include <stop_token>

#include "model/decoder_weights.h"

namespace cutd {

struct TrainingLoad {
  std::int64_t batch = 1;          // criticised responses in a step, each run with and without its judgment
  std::int64_t prompt_tokens = 0;  // of either context
  std::int64_t new_tokens = 0;     // label tokens of a response
  std::int64_t recompute_layers = 0;
};

// Tokens of both contexts a second: forward, CUT loss, backward, clipping and AdamW of a LoRA with the default
// configuration (rank 16 on the MLP, dropout 0.05). One step warms up, then at least three are timed.
// Error(kCancelled) soon after a stop request.
double training_tokens_per_second(const DecoderWeights& weights, const TrainingLoad& load, const std::stop_token& stop);

}  // namespace cutd
