#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "core/error.h"
#include "core/random.h"
#include "core/signals.h"
#include "cutd_engine/bench_training.h"
#include "cutd_engine/command.h"
#include "cutd_engine/inference.h"
#include "model/device.h"

namespace cutd {
namespace {

struct BenchCommandOptions {
  InferenceOptions inference;
  std::string mode = "generate";
  std::int64_t batch = 1;
  std::int64_t prompt_tokens = 128;
  std::int64_t new_tokens = 48;
  std::int64_t recompute_layers = 0;
  bool random_weights = false;
  bool json = false;
};

constexpr int kMostRepeats = 8;  // of times that other work made senseless

double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<GenerationPrompt> random_prompts(const BenchCommandOptions& options, std::int64_t vocab_size) {
  std::vector<GenerationPrompt> prompts(static_cast<std::size_t>(options.batch));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (std::int64_t t = 0; t < options.prompt_tokens; ++t) {
      const float draw = philox_uniform(i + 1, static_cast<std::uint64_t>(t));
      prompts[i].ids.push_back(static_cast<std::int64_t>(draw * static_cast<float>(vocab_size)));
    }
  }
  return prompts;
}

struct Rates {
  double tokens_per_second = 0;
  Json prefill_tokens_per_second;  // null where there is no prefill
};

Rates measure_generation(const BenchCommandOptions& options, const DecoderWeights& weights,
                         const std::stop_token& stop) {
  const std::vector<GenerationPrompt> prompts = random_prompts(options, weights.config.vocab_size);
  GeneratorOptions generator_options;
  generator_options.max_batch = options.batch;
  generator_options.arena_tokens =
      options.batch * (options.prompt_tokens + options.new_tokens);  // all at once, whatever it takes
  generator_options.threads = options.inference.threads;
  Generator generator(weights, nullptr, generator_options);
  SamplingConfig sampling;
  sampling.ignore_eos = true;
  sampling.max_new_tokens = options.mode == "prefill" ? 1 : options.new_tokens;
  SamplingConfig one = sampling;
  one.max_new_tokens = 1;
  generator.generate(prompts, sampling, stop);  // warm-up: arena, kernels, page tables
  // The lower of two: on a shared machine a single time may hold somebody else's work.
  const auto seconds = [&](const SamplingConfig& config) {
    const auto run = [&] { generator.generate(prompts, config, stop); };
    return std::min(seconds_of(run), seconds_of(run));
  };
  double prefill = seconds(one);
  const auto batch = static_cast<double>(options.batch);
  const auto prefill_rate = [&] { return batch * static_cast<double>(options.prompt_tokens) / prefill; };
  if (options.mode == "prefill") return {prefill_rate(), prefill_rate()};
  double whole = seconds(sampling);
  const auto disturbed = [&] { return options.new_tokens > 1 && whole <= prefill; };
  for (int again = 0; disturbed() && again < kMostRepeats; ++again) {
    prefill = std::min(prefill, seconds(one));
    whole = std::min(whole, seconds(sampling));
  }
  if (disturbed()) {
    throw Error(ErrorCode::kInternal,
                "no decode rate: the whole call took no longer than its prompts, so other work disturbed the times; "
                "run it again");
  }
  return {batch * static_cast<double>(options.new_tokens - 1) / std::max(whole - prefill, 1e-9), prefill_rate()};
}

Rates measure_training(const BenchCommandOptions& options, const DecoderWeights& weights, const std::stop_token& stop) {
  const TrainingLoad load{options.batch, options.prompt_tokens, options.new_tokens, options.recompute_layers};
  return {training_tokens_per_second(weights, load, stop), nullptr};
}

void run_bench(const BenchCommandOptions& options, const std::stop_token& stop) {
  const at::Device device = parse_device(options.inference.device);
  const at::ScalarType dtype = parse_dtype(options.inference.dtype);
  const std::int64_t threads = set_compute_threads(options.inference.threads);
  const DecoderWeights weights =
      options.random_weights ? random_decoder_weights(read_model_config(options.inference.model), dtype, device, 1)
                             : load_decoder_weights(options.inference.model, dtype, device);
  const Rates rates =
      options.mode == "train" ? measure_training(options, weights, stop) : measure_generation(options, weights, stop);
  const Json result = {{"mode", options.mode},
                       {"batch", options.batch},
                       {"dtype", options.inference.dtype},
                       {"tokens_per_second", rates.tokens_per_second},
                       {"prefill_tokens_per_second", rates.prefill_tokens_per_second},
                       {"peak_memory_bytes", peak_memory_bytes(device)},
                       {"threads", threads}};
  if (options.json) {
    std::printf("%s\n", to_json_text(result).c_str());
    return;
  }
  std::printf("%s, %lld sequences, %s: %.1f tokens/s", options.mode.c_str(), static_cast<long long>(options.batch),
              options.inference.dtype.c_str(), rates.tokens_per_second);
  if (options.mode == "generate") std::printf(", prefill %.1f tokens/s", rates.prefill_tokens_per_second.get<double>());
  std::printf(", peak memory %.0f MB\n", result["peak_memory_bytes"].get<double>() / 1e6);
}

}  // namespace

void add_bench_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<BenchCommandOptions>();
  CLI::App* command = app.add_subcommand("bench", "Measure the speed of generation or training on random tokens");
  command->add_option("--model", options->inference.model, "Hugging Face folder")->required();
  command->add_option("--mode", options->mode, "generate (decode rate), prefill, or train (optimiser steps of a LoRA)")
      ->check(CLI::IsMember({"generate", "prefill", "train"}))
      ->capture_default_str();
  command
      ->add_option("--batch", options->batch,
                   "Sequences; in train, criticised responses a step, each with and without its judgment")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--prompt-tokens", options->prompt_tokens, "Length of each prompt")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--new-tokens", options->new_tokens, "Tokens generated for each; in train, tokens of a response")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--dtype", options->inference.dtype, "float32 or bfloat16")->capture_default_str();
  command->add_option("--device", options->inference.device, "auto, cpu or cuda:N")->capture_default_str();
  command->add_option("--threads", options->inference.threads, "CPU threads (0: one per core)")->capture_default_str();
  command
      ->add_option("--recompute-layers", options->recompute_layers, "In train: layers recomputed in the backward pass")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--random-weights", options->random_weights, "Only config.json is read; the weights are random");
  command->add_flag("--json", options->json, "One JSON object");
  command->callback([options, &chosen] {
    chosen = [options] { return run_stoppable([&](const std::stop_token& stop) { run_bench(*options, stop); }); };
  });
}

}  // namespace cutd
