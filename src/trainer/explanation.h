// What an objective makes of a batch: every token's values, the detected set, each term, the loss and the gradient.
// For people who want to see why a response was pushed where, and for comparing with other implementations.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/train_config.h"
#include "dataset/example.h"
#include "model/training_decoder.h"
#include "trainer/objective.h"

namespace cutd {

struct ExampleExplanation {
  ExampleLogProbs log_probs;   // of every context the example has, whatever the objective needs
  std::vector<double> ratios;  // p(with judgment) / p(without); empty for Align-P
  Constants constants;         // as ratios
  ExampleLoss terms;           // its `loss` is this example's share of the batch loss
  bool counted = true;         // false: the objective leaves such examples out (mle, Align-N)
};

// One micro-batch of the `released` loss: token means over its examples.
struct MicroBatchTerms {
  double like = 0;
  std::optional<double> unlike;  // where it has a criticised example
  double loss = 0;               // (like + unlike) / 2, or like alone; with the configured weights
};

struct Explanation {
  double loss = 0;
  std::size_t counted = 0;                     // examples the loss is a mean over
  std::vector<ExampleExplanation> examples;    // in the order given
  std::vector<MicroBatchTerms> micro_batches;  // `released` only
};

// The batch is one optimiser step, cut into micro-batches of `micro_batch_size`. With `gradient`, its gradient is added
// to the LoRA's of `decoder`. Errors: as TrainingDecoder; kCancelled soon after a stop request.
Explanation explain(TrainingDecoder& decoder, const ObjectiveConfig& objective, std::span<const TrainingExample> batch,
                    std::size_t micro_batch_size, bool gradient, const std::stop_token& stop = {});

}  // namespace cutd
