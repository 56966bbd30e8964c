// Training objectives as two pure steps on the label tokens' log-probabilities (architecture section 7):
// `detect` makes the constants (the token set U, the dynamic weights), `example_loss` uses them as given and
// returns the loss with its derivative by every log p. No tensors, no state.
//
// `cut` paper: Eq. 5-7 of arXiv 2312.14591 per example, batch loss = mean over examples. `cut` released: the
// authors' code, one micro-batch at a time (method.md section 3), batch loss = mean over micro-batches. `mle`:
// likelihood of Align-P examples only; Align-N examples have no context in use and contribute nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/train_config.h"
#include "dataset/example.h"

namespace cutd {

// One context of one example, an entry per label token. Both values come from the head in fp32; log_not_p
// = log(1 - p) from the sum of the other exponentials, -inf where that sum is 0.
struct TokenLogProbs {
  std::vector<float> log_p;
  std::vector<float> log_not_p;
};

struct ExampleLogProbs {
  ExampleKind kind = ExampleKind::kAlignP;
  TokenLogProbs plain;   // empty where context_uses says kNone
  TokenLogProbs judged;  // kAlignN only
};

// What an objective needs of a context: nothing, its values (no graph), or values and gradient.
enum class ContextUse { kNone, kValues, kGradient };
struct ContextUses {
  ContextUse plain = ContextUse::kNone;
  ContextUse judged = ContextUse::kNone;
};
ContextUses context_uses(const ObjectiveConfig& objective, ExampleKind kind);

// What is known of an example from its labels alone, before any forward pass.
struct ExampleShape {
  ExampleKind kind = ExampleKind::kAlignP;
  std::size_t label_tokens = 0;
  double weight = 1;
};

// What multiplies an example's -log p terms in the loss of its step, per label token.
struct LossScales {
  double likelihood = 0;    // Align-P in the plain context, Align-N in the judged one
  double unlikelihood = 0;  // Misalign: both branches, in the plain context of a negative
};

// Scales of every example of one optimiser step, which is cut into micro-batches of `micro_batch_size`
// consecutive examples (the last may be smaller). With them the step's loss is the sum of example losses.
std::vector<LossScales> loss_scales(const ObjectiveConfig& objective, std::span<const ExampleShape> step,
                                    std::size_t micro_batch_size);

// Held fixed while the loss is differentiated. Empty for Align-P.
struct Constants {
  std::vector<std::uint8_t> detected;       // 1: the token is in U
  std::vector<double> unlikelihood_weight;  // paper: alpha p(with judgment)^gamma; released: alpha
};
Constants detect(const ObjectiveConfig& objective, const ExampleLogProbs& log_probs);

struct ExampleLoss {
  double loss = 0;                    // the example's share of the step's loss
  double likelihood_term = 0;         // -1/N sum log p of the likelihood context, unweighted (L2, like)
  double unlikelihood_term = 0;       // the Misalign term over this example's tokens (L1, unlike); 0 for Align-P
  std::vector<float> gradient_plain;  // dLoss / dlog p per label token; empty where there is no gradient
  std::vector<float> gradient_judged;
};
ExampleLoss example_loss(const ObjectiveConfig& objective, const ExampleLogProbs& log_probs, const Constants& constants,
                         const LossScales& scales);

// p(with judgment) / p(without), as `detect` compares it: fp32 quotient of fp32 probabilities for `released`
// (may be inf or nan), exp of the difference for `paper`. Same length as the label tokens.
std::vector<double> judged_to_plain_ratio(const ObjectiveConfig& objective, const ExampleLogProbs& log_probs);

}  // namespace cutd
