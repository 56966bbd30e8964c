#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/signals.h"
#include "cutd/command.h"
#include "dataset/model_text.h"
#include "dataset/prepare_command.h"

namespace cutd {
namespace {

struct DataOptions {
  std::string model;
  PromptTemplateConfig prompts;
  PrepareCommandOptions prepare;
};

void run_prepare(DataOptions options, const std::stop_token& stop) {
  options.prepare.stop = stop;
  const ModelText text = read_model_text(options.model, options.prompts);
  options.prepare.eos_id = text.eos_id;
  run_data_prepare(options.prepare, text.prompts, text.encode, std::cout);
  std::cout.flush();
}

}  // namespace

void add_data_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("data", "Training data");
  group->require_subcommand(1);
  const auto options = std::make_shared<DataOptions>();
  CLI::App* command = group->add_subcommand("prepare", "Show what the trainer would see of a triplet file");
  command->add_option("--data", options->prepare.data, "Triplets: JSON list or JSON Lines")->required();
  command->add_option("--model", options->model, "Hugging Face folder (tokenizer)")->required();
  command->add_option("--cutoff-len", options->prepare.cutoff_len, "Most tokens of prompt and response")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--downsample", options->prepare.downsample, "Satisfactory responses kept per other one (-1: all)")
      ->capture_default_str();
  command->add_option("--seed", options->prepare.seed, "Seed of the down-sampling")->capture_default_str();
  command->add_option("--template", options->prompts.name, "alpaca or chat")
      ->check(CLI::IsMember({"alpaca", "chat"}))
      ->capture_default_str();
  command->add_option("--system", options->prompts.system, "System text of the chat template");
  command->add_flag("--json", options->prepare.json, "One JSON object a triplet");
  command->footer("Example: cutd data prepare --data triplets.json --model my-model --json");
  command->callback([options, &chosen] {
    chosen = [options] {
      return run_stoppable(
          [&](const std::stop_token& stop) { run_prepare(*options, stop); },
          options->prepare.json ? "stopped: the rows after these are missing" : "stopped: nothing was counted");
    };
  });
}

}  // namespace cutd
