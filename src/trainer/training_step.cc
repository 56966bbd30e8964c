#include "trainer/training_step.h"

#include <c10/util/Exception.h>

#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/fault.h"
#include "core/signals.h"
#include "trainer/objective.h"
#include "trainer/packing.h"

namespace cutd {
namespace {

std::vector<const TrainingExample*> pointers(std::span<const StepExample> examples) {
  std::vector<const TrainingExample*> result;
  for (const StepExample& one : examples) result.push_back(one.example);
  return result;
}

// LibTorch has an exception type for a full GPU, but a failed allocation on the CPU is told by its text alone.
bool is_out_of_memory(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  return text.find("not enough memory") != std::string_view::npos ||
         text.find("can't allocate memory") != std::string_view::npos;
}

// What is known and found of the step's examples while its packs run.
class StepState {
 public:
  StepState(const TrainConfig& config, std::span<const StepExample> examples)
      : objective_(config.objective),
        examples_(examples),
        log_probs_(examples.size()),
        losses_(examples.size()),
        detected_(examples.size()) {
    std::vector<ExampleShape> shapes;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const TrainingExample& example = *examples[i].example;
      shapes.push_back({example.kind, example.response_ids.size(), example.weight});
      log_probs_[i].kind = example.kind;
    }
    scales_ = loss_scales(objective_, shapes, static_cast<std::size_t>(config.per_device_train_batch_size));
  }

  TrainingSequence sequence(const PackRow& row) const {
    const StepExample& one = examples_[row.example];
    return {row.judged ? one.example->prompt_judge_ids : one.example->prompt_ids, one.example->response_ids,
            2 * one.number + (row.judged ? 1U : 0U)};
  }

  void take_values(const Pack& pack, std::vector<TokenValues>& values) {
    for (std::size_t i = 0; i < pack.rows.size(); ++i) {
      ExampleLogProbs& log_probs = log_probs_[pack.rows[i].example];
      TokenLogProbs& context = pack.rows[i].judged ? log_probs.judged : log_probs.plain;
      context.log_p = std::move(values[i].log_p);
      context.log_not_p = std::move(values[i].log_not_p);
    }
  }

  // dLoss / dlog p of each row of a pack whose values were taken.
  std::vector<std::vector<float>> differentiate(const Pack& pack) {
    std::vector<std::vector<float>> coefficients;
    for (std::size_t i = 0; i < pack.rows.size(); ++i) {
      const PackRow& row = pack.rows[i];
      if (i == 0 || pack.rows[i - 1].example != row.example) compute_loss(row.example);
      ExampleLoss& loss = losses_[row.example];
      coefficients.push_back(std::move(row.judged ? loss.gradient_judged : loss.gradient_plain));
    }
    return coefficients;
  }

  // Sums in the order of the examples, so that they do not depend on the packs.
  StepOutcome outcome() const {
    StepOutcome sum;
    double likelihoods = 0;
    double criticised = 0;
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      const bool negative = log_probs_[i].kind == ExampleKind::kAlignN;
      const TokenLogProbs& context = negative ? log_probs_[i].judged : log_probs_[i].plain;
      sum.loss += losses_[i].loss;
      sum.likelihood += losses_[i].likelihood_term;
      if (!context.log_p.empty()) likelihoods += 1;
      if (!negative) continue;
      criticised += 1;
      sum.unlikelihood += losses_[i].unlikelihood_term;
      sum.detected_tokens += detected_[i];
      sum.criticised_tokens += static_cast<std::int64_t>(examples_[i].example->response_ids.size());
    }
    if (likelihoods > 0) sum.likelihood /= likelihoods;
    if (criticised > 0) sum.unlikelihood /= criticised;
    return sum;
  }

 private:
  void compute_loss(std::size_t index) {
    const Constants constants = detect(objective_, log_probs_[index]);
    losses_[index] = example_loss(objective_, log_probs_[index], constants, scales_[index]);
    for (const std::uint8_t one : constants.detected) detected_[index] += one;
  }

  const ObjectiveConfig& objective_;
  const std::span<const StepExample> examples_;
  std::vector<LossScales> scales_;
  std::vector<ExampleLogProbs> log_probs_;
  std::vector<ExampleLoss> losses_;
  std::vector<std::int64_t> detected_;
};

}  // namespace

double StepOutcome::detected_fraction() const {
  return criticised_tokens == 0 ? 0 : static_cast<double>(detected_tokens) / static_cast<double>(criticised_tokens);
}

StepRunner::StepRunner(const DecoderWeights& weights, TrainableLora& lora, const TrainConfig& config)
    : weights_(weights), lora_(lora), config_(config), pack_tokens_(config.pack_tokens) {}

StepOutcome StepRunner::run(std::span<const StepExample> examples, std::int64_t step, const StepHooks& hooks) {
  for (;;) {
    try {
      return run_once(examples, step, hooks);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kResource) throw;
      const std::int64_t smaller = smaller_budget(plan_packs(config_.objective, pointers(examples), pack_tokens_));
      if (smaller == 0) throw;
      decoder_.reset();  // its memory is as large as the largest pack was
      pack_tokens_ = smaller;
      if (hooks.on_message) {
        hooks.on_message("memory ran out in step " + std::to_string(step + 1) + "; packs have at most " +
                         std::to_string(smaller) + " tokens from here on");
      }
    }
  }
}

StepOutcome StepRunner::run_once(std::span<const StepExample> examples, std::int64_t step, const StepHooks& hooks) {
  if (!decoder_) {
    TrainingDecoderOptions options;
    options.seed = static_cast<std::uint64_t>(config_.seed);
    options.recompute_layers = config_.recompute_layers;
    decoder_ = std::make_unique<TrainingDecoder>(weights_, lora_, options);
  }
  lora_.gradients().zero_();
  StepState state(config_, examples);
  std::int64_t tokens = 0;
  const auto run_pack = [&](const Pack& pack, bool gradient) {
    throw_if_stopped(hooks.stop, "training");
    if (fault::fails("memory")) throw Error(ErrorCode::kResource, "not enough memory (injected)");
    std::vector<TrainingSequence> sequences;
    for (const PackRow& row : pack.rows) sequences.push_back(state.sequence(row));
    try {
      std::vector<TokenValues> values = decoder_->forward(sequences, step, gradient);
      state.take_values(pack, values);
      if (gradient) decoder_->backward(state.differentiate(pack));
    } catch (const c10::Error& error) {
      if (!is_out_of_memory(error)) throw;
      throw Error(ErrorCode::kResource, "not enough memory for a pack of " + std::to_string(pack.tokens) +
                                            " tokens: lower train.pack_tokens or raise train.recompute_layers");
    }
    tokens += pack.tokens;
    if (hooks.on_pack) hooks.on_pack();
  };
  const StepPacks packs = plan_packs(config_.objective, pointers(examples), pack_tokens_);
  for (const Pack& pack : packs.values) run_pack(pack, false);
  for (const Pack& pack : packs.gradients) run_pack(pack, true);
  StepOutcome outcome = state.outcome();
  outcome.tokens = tokens;
  return outcome;
}

}  // namespace cutd
