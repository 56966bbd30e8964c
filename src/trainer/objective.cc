#include "trainer/objective.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cutd {
namespace {

// What the authors add to a probability that is exactly 0 before taking its logarithm.
constexpr double kZeroProbability = 1e-5;

bool is_released(const ObjectiveConfig& objective) { return objective.variant == "released"; }

bool wants_unlikelihood(const ObjectiveConfig& objective) {
  return objective.name == "cut" && (objective.alpha > 0 || objective.misalign_weight > 0);
}

// The Misalign term of one token as a function of its log p: value of -w log(...) and its derivative.
struct TokenTerm {
  double value = 0;
  double derivative = 0;
};

TokenTerm paper_misalign_term(float log_p, float log_not_p, bool detected, double unlikelihood_weight,
                              double likelihood_weight) {
  if (!detected) return {-likelihood_weight * log_p, -likelihood_weight};
  const double log_q = std::isinf(log_not_p) ? std::log(kZeroProbability) : static_cast<double>(log_not_p);
  return {-unlikelihood_weight * log_q, unlikelihood_weight * std::exp(log_p - log_q)};
}

TokenTerm released_misalign_term(float log_p, bool detected, double unlikelihood_weight, double likelihood_weight) {
  const float p = std::exp(log_p);
  float q = detected ? 1.0F - p : p;
  if (q == 0.0F) q += static_cast<float>(kZeroProbability);
  const double weight = detected ? unlikelihood_weight : likelihood_weight;
  const double dq_dp = detected ? -1 : 1;
  return {-weight * std::log(static_cast<double>(q)), -weight / q * dq_dp * p};
}

double mean_negative_log(const std::vector<float>& log_p) {
  if (log_p.empty()) return 0;
  return -std::accumulate(log_p.begin(), log_p.end(), 0.0) / static_cast<double>(log_p.size());
}

double likelihood_weight(const ObjectiveConfig& objective, ExampleKind kind) {
  if (kind == ExampleKind::kAlignP) return objective.align_p_weight;
  return objective.name == "cut" ? objective.align_n_weight : 0;
}

// Adds weight x scale x sum(-log p) and its gradient.
void add_likelihood(const std::vector<float>& log_p, double factor, ExampleLoss& result, std::vector<float>& gradient) {
  if (factor == 0 || log_p.empty()) return;
  result.loss += factor * mean_negative_log(log_p) * static_cast<double>(log_p.size());
  gradient.assign(log_p.size(), static_cast<float>(-factor));
}

void add_misalign(const ObjectiveConfig& objective, const TokenLogProbs& plain, const Constants& constants,
                  double scale, ExampleLoss& result) {
  const std::size_t count = plain.log_p.size();
  if (count == 0 || !wants_unlikelihood(objective)) return;
  result.gradient_plain.resize(count);
  double sum = 0;
  for (std::size_t t = 0; t < count; ++t) {
    const bool detected = constants.detected[t] != 0;
    const double weight = constants.unlikelihood_weight[t];
    const TokenTerm term =
        is_released(objective)
            ? released_misalign_term(plain.log_p[t], detected, weight, objective.misalign_weight)
            : paper_misalign_term(plain.log_p[t], plain.log_not_p[t], detected, weight, objective.misalign_weight);
    sum += term.value;
    result.gradient_plain[t] = static_cast<float>(scale * term.derivative);
  }
  result.loss += scale * sum;
  result.unlikelihood_term = sum / static_cast<double>(count);
}

struct MicroBatchCounts {
  double label_tokens = 0;  // of all examples
  double negative_label_tokens = 0;
};

MicroBatchCounts count(std::span<const ExampleShape> micro_batch) {
  MicroBatchCounts counts;
  for (const ExampleShape& shape : micro_batch) {
    const double tokens = static_cast<double>(shape.label_tokens);
    counts.label_tokens += tokens;
    if (shape.kind == ExampleKind::kAlignN) counts.negative_label_tokens += tokens;
  }
  return counts;
}

}  // namespace

ContextUses context_uses(const ObjectiveConfig& objective, ExampleKind kind) {
  ContextUses uses;
  if (kind == ExampleKind::kAlignP) {
    uses.plain = objective.align_p_weight > 0 ? ContextUse::kGradient : ContextUse::kNone;
    return uses;
  }
  if (wants_unlikelihood(objective)) {
    uses.plain = ContextUse::kGradient;
    const bool dynamic_weight = !is_released(objective) && objective.gamma != 0 && objective.alpha > 0;
    if (objective.detection || dynamic_weight) uses.judged = ContextUse::kValues;
  }
  if (likelihood_weight(objective, kind) > 0) uses.judged = ContextUse::kGradient;
  return uses;
}

std::vector<LossScales> loss_scales(const ObjectiveConfig& objective, std::span<const ExampleShape> step,
                                    std::size_t micro_batch_size) {
  std::vector<LossScales> scales(step.size());
  if (!is_released(objective)) {
    for (std::size_t i = 0; i < step.size(); ++i) {
      const double scale = step[i].weight / static_cast<double>(step[i].label_tokens * step.size());
      scales[i] = {scale, step[i].kind == ExampleKind::kAlignN ? scale : 0};
    }
    return scales;
  }
  const double micro_batches = static_cast<double>((step.size() + micro_batch_size - 1) / micro_batch_size);
  for (std::size_t first = 0; first < step.size(); first += micro_batch_size) {
    const std::size_t size = std::min(micro_batch_size, step.size() - first);
    const MicroBatchCounts counts = count(step.subspan(first, size));
    const bool has_negative = counts.negative_label_tokens > 0;
    for (std::size_t i = first; i < first + size; ++i) {
      const double share = step[i].weight / (micro_batches * (has_negative ? 2 : 1));
      scales[i].likelihood = share / counts.label_tokens;
      if (step[i].kind == ExampleKind::kAlignN) scales[i].unlikelihood = share / counts.negative_label_tokens;
    }
  }
  return scales;
}

std::vector<double> judged_to_plain_ratio(const ObjectiveConfig& objective, const ExampleLogProbs& log_probs) {
  const std::vector<float>& judged = log_probs.judged.log_p;
  const std::vector<float>& plain = log_probs.plain.log_p;
  std::vector<double> ratios(std::min(judged.size(), plain.size()));
  for (std::size_t t = 0; t < ratios.size(); ++t) {
    ratios[t] = is_released(objective) ? std::exp(judged[t]) / std::exp(plain[t])
                                       : std::exp(static_cast<double>(judged[t]) - static_cast<double>(plain[t]));
  }
  return ratios;
}

Constants detect(const ObjectiveConfig& objective, const ExampleLogProbs& log_probs) {
  Constants constants;
  if (log_probs.kind != ExampleKind::kAlignN) return constants;
  const std::size_t count = std::max(log_probs.plain.log_p.size(), log_probs.judged.log_p.size());
  constants.detected.assign(count, objective.detection ? 0 : 1);
  constants.unlikelihood_weight.assign(count, objective.alpha);
  if (objective.detection) {
    const std::vector<double> ratios = judged_to_plain_ratio(objective, log_probs);
    for (std::size_t t = 0; t < ratios.size(); ++t) {
      if (is_released(objective)) {
        // fp32 quotient against the fp32 threshold, strictly; nan compares false.
        constants.detected[t] = static_cast<float>(ratios[t]) > static_cast<float>(objective.lambda) ? 1 : 0;
      } else {
        const double judged = std::exp(static_cast<double>(log_probs.judged.log_p[t]));
        const double plain = std::exp(static_cast<double>(log_probs.plain.log_p[t]));
        constants.detected[t] = judged - objective.lambda * plain > 0 ? 1 : 0;
      }
    }
  }
  if (!is_released(objective) && objective.gamma != 0) {
    for (std::size_t t = 0; t < log_probs.judged.log_p.size(); ++t) {
      constants.unlikelihood_weight[t] = objective.alpha * std::exp(objective.gamma * log_probs.judged.log_p[t]);
    }
  }
  return constants;
}

ExampleLoss example_loss(const ObjectiveConfig& objective, const ExampleLogProbs& log_probs, const Constants& constants,
                         const LossScales& scales) {
  ExampleLoss result;
  const bool negative = log_probs.kind == ExampleKind::kAlignN;
  const TokenLogProbs& likelihood_context = negative ? log_probs.judged : log_probs.plain;
  result.likelihood_term = mean_negative_log(likelihood_context.log_p);
  add_likelihood(likelihood_context.log_p, scales.likelihood * likelihood_weight(objective, log_probs.kind), result,
                 negative ? result.gradient_judged : result.gradient_plain);
  if (negative) add_misalign(objective, log_probs.plain, constants, scales.unlikelihood, result);
  return result;
}

}  // namespace cutd
