#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "cutd/command.h"
#include "dataset/prepare_command.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace cutd {
namespace {

struct Options {
  PrepareCommandOptions prepare;
  PromptTemplateConfig prompts;
  std::string model;
};

ChatRenderer chat_renderer(const std::string& model) {
  const ChatTemplate chat = ChatTemplate::from_directory(model);
  return [chat](const std::string& system, const std::string& user) {
    Json messages = Json::array();
    if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
    messages.push_back({{"role", "user"}, {"content", user}});
    ChatOptions options;
    options.add_generation_prompt = true;
    return chat.render(messages, options);
  };
}

int run_prepare(const Options& options) {
  const Tokenizer tokenizer = Tokenizer::from_directory(options.model);
  PrepareCommandOptions prepare = options.prepare;
  if (prepare.eos_id < 0) {
    if (!tokenizer.eos_id()) throw Error(ErrorCode::kBadInput, options.model + " names no eos_token: pass --eos-id");
    prepare.eos_id = *tokenizer.eos_id();
  }
  const PromptTemplate prompts(options.prompts, options.prompts.name == "chat" ? chat_renderer(options.model) : ChatRenderer());
  const TextEncoder encode = [&](const std::string& text, bool add_special_tokens) { return tokenizer.encode(text, add_special_tokens); };
  run_data_prepare(prepare, prompts, encode, std::cout);
  return kExitDone;
}

}  // namespace

void add_data_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* data = app.add_subcommand("data", "Training data");
  data->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  options->prepare.eos_id = -1;
  CLI::App* prepare = data->add_subcommand("prepare", "Show what the trainer would see of a triplet file");
  prepare->add_option("--data", options->prepare.data, "Triplets (JSON or JSON Lines)")->required();
  prepare->add_option("--model", options->model, "Hugging Face folder with the tokenizer")->required();
  prepare->add_option("--template", options->prompts.name, "alpaca or chat")->check(CLI::IsMember({"alpaca", "chat"}))->capture_default_str();
  prepare->add_option("--system", options->prompts.system, "chat: text of the system turn");
  prepare->add_option("--cutoff-len", options->prepare.cutoff_len, "Most tokens of prompt and response")->capture_default_str();
  prepare->add_option("--eos-id", options->prepare.eos_id, "End-of-sequence id (default: the model's)");
  prepare->add_option("--downsample", options->prepare.downsample, "Satisfactory responses kept per criticised one (-1: all)")->capture_default_str();
  prepare->add_option("--seed", options->prepare.seed, "Seed of the down-sampling")->capture_default_str();
  prepare->add_flag("--json", options->prepare.json, "One JSON object per triplet");
  prepare->callback([options, &chosen] { chosen = [options] { return run_prepare(*options); }; });
}

}  // namespace cutd
