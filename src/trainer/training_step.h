// The forward and backward passes of one optimiser step: the loss of its examples and the whole gradient.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "core/train_config.h"
#include "dataset/example.h"
#include "model/training_decoder.h"

namespace cutd {

struct StepExample {
  const TrainingExample* example = nullptr;
  std::uint32_t number = 0;  // of the example in the training set: keys its dropout
};

struct StepOutcome {
  double loss = 0;
  double likelihood = 0;               // mean of the examples' likelihood terms (objective.h), where they have one
  double unlikelihood = 0;             // mean of the criticised examples' Misalign terms
  std::int64_t tokens = 0;             // executed, all contexts
  std::int64_t detected_tokens = 0;    // label tokens in U
  std::int64_t criticised_tokens = 0;  // label tokens of criticised examples, of which U is a part

  double detected_fraction() const;  // detected / criticised; 0 when there are none
};

struct StepHooks {
  std::stop_token stop;
  std::function<void()> on_pack;                       // after each pack: a sign of life
  std::function<void(const std::string&)> on_message;  // what a person should know
};

// Holds the activations between steps. References must outlive it. One thread.
class StepRunner {
 public:
  StepRunner(const DecoderWeights& weights, TrainableLora& lora, const TrainConfig& config);

  // Leaves the gradient in lora.gradients() (cleared first). `step` counts from 0 and keys dropout. When memory runs
  // out, packs are halved, for good, and the step is done again; Error(kResource) when they cannot be.
  // Error(kCancelled) soon after a stop request.
  StepOutcome run(std::span<const StepExample> examples, std::int64_t step, const StepHooks& hooks);

  // Present limit of a pack; what train.pack_tokens says until memory runs out.
  std::int64_t pack_tokens() const { return pack_tokens_; }
  void limit_packs(std::int64_t pack_tokens) { pack_tokens_ = std::min(pack_tokens_, pack_tokens); }

 private:
  StepOutcome run_once(std::span<const StepExample> examples, std::int64_t step, const StepHooks& hooks);

  const DecoderWeights& weights_;
  TrainableLora& lora_;
  const TrainConfig config_;
  std::int64_t pack_tokens_;
  std::unique_ptr<TrainingDecoder> decoder_;
};

}  // namespace cutd
