#include <CLI/CLI.hpp>

#include "core/error.h"
#include "core/random.h"
#include "core/signals.h"
#include "cutd_engine/command.h"
#include "cutd_engine/inference.h"

namespace cutd {
namespace {

struct GenerateOptions {
  InferenceOptions inference;
  SamplingConfig sampling;
  std::int64_t batch = 32;
};

void run_generate(const GenerateOptions& options, const std::stop_token& stop) {
  const LoadedModel model(options.inference);
  const std::vector<InputRow> rows = read_input_rows(options.inference.input, model, true);
  std::vector<GenerationPrompt> prompts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // Each row has draws of its own, so equal prompts give different samples.
    prompts.push_back({rows[i].ids, derive_seed(options.sampling.seed, "row " + std::to_string(i))});
  }
  GeneratorOptions generator_options;
  generator_options.threads = options.inference.threads;
  generator_options.max_batch = options.batch;
  Generator generator(model.policy->weights(), model.tokenizer ? &*model.tokenizer : nullptr, generator_options);
  const std::vector<Generation> answers =
      generator.generate(prompts, options.sampling, stop, show_progress("generate"));
  std::vector<Json> out;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tokens += answers[i].ids.size();
    out.push_back({{"id", rows[i].id},
                   {"ids", answers[i].ids},
                   {"text", answers[i].text},
                   {"finish_reason", finish_reason_name(answers[i].finish_reason)},
                   {"logprobs", answers[i].logprobs}});
  }
  write_output_rows(options.inference, out, tokens);
}

}  // namespace

void add_generate_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<GenerateOptions>();
  CLI::App* command =
      app.add_subcommand("generate", "Continue ids, prompts or chats; greedy unless --temperature is above 0");
  add_inference_options(*command, options->inference);
  SamplingConfig& sampling = options->sampling;
  command->add_option("--max-new-tokens", sampling.max_new_tokens, "Most tokens of a response")
      ->required()
      ->check(CLI::PositiveNumber);
  command->add_option("--temperature", sampling.temperature, "0: greedy")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--top-k", sampling.top_k, "Keep the k likeliest tokens (0: all)")->check(CLI::NonNegativeNumber);
  command->add_option("--top-p", sampling.top_p, "Keep the smallest set of this mass (1: all)")
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--min-p", sampling.min_p, "Keep tokens of at least this share of the likeliest one's probability")
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--repetition-penalty", sampling.repetition_penalty,
                   "Above 1: tokens seen before become less likely")
      ->check(CLI::PositiveNumber);
  command->add_option("--seed", sampling.seed, "Seed of the sampling")->capture_default_str();
  command->add_option("--stop", sampling.stop, "Strings that end a response and are cut from its text");
  command->add_flag("--ignore-eos", sampling.ignore_eos, "Go on after the end-of-sequence token");
  command->add_option("--batch", options->batch, "Most sequences that decode together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->callback([options, &chosen] {
    chosen = [options] { return run_stoppable([&](const std::stop_token& stop) { run_generate(*options, stop); }); };
  });
}

}  // namespace cutd
