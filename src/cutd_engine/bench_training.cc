#include "cutd_engine/bench_training.h"

#include <chrono>
#include <vector>

#include "core/random.h"
#include "trainer/optimiser.h"
#include "trainer/training_step.h"

namespace cutd {
namespace {

constexpr int kFewestSteps = 3;
constexpr double kLeastSeconds = 3;

std::vector<std::int64_t> random_ids(std::int64_t count, std::int64_t vocab_size, std::uint64_t seed) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int64_t>(philox_uniform(seed, static_cast<std::uint64_t>(i)) *
                                            static_cast<float>(vocab_size)));
  }
  return ids;
}

std::vector<TrainingExample> random_examples(const TrainingLoad& load, std::int64_t vocab_size) {
  std::vector<TrainingExample> examples(static_cast<std::size_t>(load.batch));
  std::uint64_t seed = 1;
  for (TrainingExample& example : examples) {
    example.kind = ExampleKind::kAlignN;
    example.prompt_ids = random_ids(load.prompt_tokens, vocab_size, seed++);
    example.prompt_judge_ids = random_ids(load.prompt_tokens, vocab_size, seed++);
    example.response_ids = random_ids(load.new_tokens, vocab_size, seed++);
  }
  return examples;
}

}  // namespace

double training_tokens_per_second(const DecoderWeights& weights, const TrainingLoad& load,
                                  const std::stop_token& stop) {
  const at::NoGradGuard no_grad;
  TrainConfig config;
  config.recompute_layers = load.recompute_layers;
  const std::vector<TrainingExample> examples = random_examples(load, weights.config.vocab_size);
  std::vector<StepExample> step_examples;
  for (const TrainingExample& example : examples)
    step_examples.push_back({&example, static_cast<std::uint32_t>(step_examples.size())});
  TrainableLora lora(weights.config, config.lora, 1, weights.dtype, weights.device);
  AdamW optimiser(config, lora.parameters());
  StepRunner runner(weights, lora, config);
  StepHooks hooks;
  hooks.stop = stop;
  const auto do_step = [&](std::int64_t step) {
    const StepOutcome outcome = runner.run(step_examples, step, hooks);
    clip_gradients(lora.gradients(), config.max_grad_norm);  // its value is read, so the step has ended on a GPU too
    optimiser.step(lora.parameters(), lora.gradients(), config.learning_rate);
    lora.refresh();
    return outcome.tokens;
  };
  do_step(0);
  std::int64_t tokens = 0;
  double seconds = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t step = 1; step <= kFewestSteps || seconds < kLeastSeconds; ++step) {
    tokens += do_step(step);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return static_cast<double>(tokens) / seconds;
}

}  // namespace cutd
