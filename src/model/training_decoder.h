// The decoder with an unmerged LoRA for training: packed sequences of any length without padding, forward and a
// backward written by hand. The base is frozen, no autograd graph is built.
//
//   TrainingDecoder decoder(weights, lora, {});
//   std::vector<TokenValues> values = decoder.forward(pack, step, true);  // log p, log(1 - p) of every label token
//   decoder.backward(coefficients);                                       // dLoss / dlog p -> lora.gradients()
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/decoder_weights.h"
#include "model/trainable_lora.h"

namespace cutd {

// One context of one example. Every response token is a label token, predicted from the position before it; neither
// part is empty.
struct TrainingSequence {
  std::span<const std::int64_t> prompt;  // ids = prompt ++ response; labels are the response
  std::span<const std::int64_t> response;
  std::uint32_t number = 0;  // example and context: keys dropout, nothing else
  std::int64_t tokens() const { return static_cast<std::int64_t>(prompt.size() + response.size()); }
};

struct TokenValues {
  std::vector<float> log_p;
  std::vector<float> log_not_p;  // log(1 - p), -inf where the other exponentials sum to 0
};

struct TrainingDecoderOptions {
  std::uint64_t seed = 0;             // of dropout
  bool dropout = true;                // false: as if the adapter's were 0
  std::int64_t recompute_layers = 0;  // the first N layers keep only their input and run again in backward
};

// Keeps its activations between calls (as large as the largest pack so far). References must outlive it. One thread.
class TrainingDecoder {
 public:
  TrainingDecoder(const DecoderWeights& weights, TrainableLora& lora, const TrainingDecoderOptions& options);
  ~TrainingDecoder();

  // Values of every sequence's label tokens; with `gradient`, remembers what backward needs. `step` keys dropout.
  // Error(kBadInput) for an id outside the vocabulary or a sequence without prompt or labels; Error(kResource)
  // when memory does not suffice (nothing was added to any gradient then).
  std::vector<TokenValues> forward(std::span<const TrainingSequence> pack, std::int64_t step, bool gradient);

  // coefficients[s][t] = dLoss / dlog p of label token t of sequence s of the last forward (which had `gradient`);
  // an empty vector stands for zeros. Adds to lora.gradients(). Each forward allows one backward.
  void backward(const std::vector<std::vector<float>>& coefficients);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cutd
