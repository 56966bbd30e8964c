// An engine without a model, for tests of everything around it: it writes short texts about what it is asked,
// worse ones as the untrained model and better ones with each round's adapter, and "trains" adapters of the right
// shape. Equal requests get equal answers. make_rehearsal_model() writes the model folder that goes with it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "dataset/manifest.h"
#include "engine/engine.h"
#include "support/folders.h"
#include "text/tokenizer.h"
#include "weights/model_config.h"
#include "weights/model_layout.h"
#include "weights/peft.h"
#include "weights/safetensors_writer.h"

namespace cutd {

// A one-layer Llama of 16 columns with the byte-level tokenizer of tests/text/data and a chat template.
inline void make_rehearsal_model(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const Json config = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"hidden_size", 16},
                       {"intermediate_size", 32},
                       {"num_hidden_layers", 1},
                       {"num_attention_heads", 2},
                       {"num_key_value_heads", 2},
                       {"vocab_size", 384},
                       {"max_position_embeddings", 2048},
                       {"rms_norm_eps", 1e-5},
                       {"rope_theta", 10000.0},
                       {"hidden_act", "silu"},
                       {"tie_word_embeddings", true},
                       {"bos_token_id", 0},
                       {"eos_token_id", 2},
                       {"torch_dtype", "float32"}};
  write_file_durably(folder / "config.json", to_json_text(config, 1));
  std::filesystem::copy_file(source_folder() / "tests/text/data/byte_level.tokenizer.json", folder / "tokenizer.json");
  const Json tokenizer = {
      {"eos_token", "<|end|>"},
      {"bos_token", "<|endoftext|>"},
      {"chat_template", "{% for message in messages %}<|user|>{{ message.content }}<|end|>{% endfor %}<|user|>"}};
  write_file_durably(folder / "tokenizer_config.json", to_json_text(tokenizer, 1));
  std::vector<std::vector<float>> values;
  std::vector<TensorView> tensors;
  for (const TensorSpec& spec : model_tensor_specs(read_model_config(folder))) {
    TensorView view{spec.name, DType::kF32, spec.shape, {}};
    values.emplace_back(static_cast<std::size_t>(view.elements()), 0.01f);
    tensors.push_back(view);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].bytes = std::as_bytes(std::span(values[i]));
  write_safetensors(folder / "model.safetensors", tensors);
}

class RehearsalEngine : public Engine {
 public:
  // `delay` is waited for each response and each training step, so that progress can be watched.
  explicit RehearsalEngine(std::chrono::milliseconds delay = {}) : delay_(delay) {}

  LoadReply load(const ModelSpec& model, std::stop_token, const ProgressSink&) override {
    return {"cpu", model.dtype, 1, 1000, "rehearsal"};
  }

  std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                          const ProgressSink& progress) override {
    const Tokenizer tokenizer = Tokenizer::from_directory(request.model.model_dir);
    const int rank = rank_of(request.model.adapter_dir);
    std::vector<GeneratedResponse> responses;
    for (const GeneratePrompt& prompt : request.prompts) {
      pause(stop);
      responses.push_back(respond(tokenizer, tokenizer.decode(prompt.ids, false), rank));
      progress({"generate", static_cast<std::int64_t>(responses.size()),
                static_cast<std::int64_t>(request.prompts.size()), 123.4, Json()});
    }
    return responses;
  }

  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                         const ProgressSink& progress) override {
    pause(stop);
    const int rank = rank_of(request.model.adapter_dir);
    std::vector<std::vector<double>> scores;
    for (const ScoreItem& item : request.items) {
      const auto count = item.ids.size() - static_cast<std::size_t>(item.first);
      scores.emplace_back(count, -0.8 - 0.01 * static_cast<double>(item.ids.size() % 30) - 0.05 * rank);
      progress({"score", static_cast<std::int64_t>(scores.size()), static_cast<std::int64_t>(request.items.size()), 456,
                Json()});
    }
    return scores;
  }

  TrainReply train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) override {
    const auto rows = static_cast<std::int64_t>(read_manifest(request.manifest).rows.size());
    const std::int64_t batch = request.config.gradient_accumulation_steps;
    const std::int64_t steps = std::max<std::int64_t>(1, (rows + batch - 1) / batch);
    double loss = 0;
    for (std::int64_t step = 1; step <= steps; ++step) {
      pause(stop);
      loss = 0.9 + 1.6 * std::exp(-0.3 * static_cast<double>(step)) +
             0.08 * std::sin(static_cast<double>(3 * step + rows));
      progress({"train", step, steps, 210,
                Json{{"step", step},
                     {"loss", loss},
                     {"detected_fraction", 0.2 + 0.05 * std::cos(static_cast<double>(step))},
                     {"learning_rate", request.config.learning_rate},
                     {"tokens", 700}}});
    }
    write_adapter(request.output_dir, adapter(request));
    return {steps, 0, loss, Json{{"loss", loss}}};
  }

  MergeReply merge(const MergeRequest&, std::stop_token, const ProgressSink&) override { return {0}; }

 private:
  void pause(const std::stop_token& stop) const {
    if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
    std::this_thread::sleep_for(delay_);
  }

  static int rank_of(const std::string& adapter_dir) {
    if (adapter_dir.empty()) return 0;
    return read_json_file(std::filesystem::path(adapter_dir) / "adapter_config.json").at("r").get<int>();
  }

  // The last word of what was asked, which the guideline's subject check looks for.
  static std::string subject_of(const std::string& prompt) {
    std::string text = prompt.substr(0, prompt.rfind("<|end|>"));
    while (!text.empty() && !std::isalpha(static_cast<unsigned char>(text.back()))) text.pop_back();
    std::size_t start = text.size();
    while (start > 0 && std::isalpha(static_cast<unsigned char>(text[start - 1]))) --start;
    return text.substr(start);
  }

  static GeneratedResponse respond(const Tokenizer& tokenizer, const std::string& prompt, int rank) {
    std::uint64_t luck = 1469598103934665603ULL;
    for (const char byte : prompt) luck = (luck ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
    const std::string subject = subject_of(prompt);
    const auto draw = static_cast<int>((luck >> 20) % 100);
    const int good = rank == 0 ? 22 : std::min(80, 45 + 2 * rank);
    GeneratedResponse response;
    response.finish_reason = "stop";
    if (draw < good)
      response.text = "People have cared about " + subject +
                      " for a long time, because it helps them with many things that matter every day.";
    else if (draw % 3 == 0)
      response.text = "Sure! Here are some thoughts about " + subject + " that may help you today.";
    else if (draw % 3 == 1)
      response.text = "1. Think about " + subject + " <first>.\n2. Then ask somebody & write it down.";
    else
      response.text = "The matter of " + subject +
                      " is one that many people think about and then go on to think about again and again without ever";
    if (draw >= good && draw % 3 == 2) response.finish_reason = "length";
    response.ids = tokenizer.encode(response.text, false);
    if (response.finish_reason == "stop") response.ids.push_back(*tokenizer.eos_id());
    response.logprobs.assign(response.ids.size(), -0.4);
    return response;
  }

  static PeftAdapter adapter(const TrainRequest& request) {
    const ModelConfig config = read_model_config(request.model.model_dir);
    const LoraConfig& lora = request.config.lora;
    PeftAdapter adapter;
    adapter.r = lora.r;
    adapter.lora_alpha = lora.alpha;
    adapter.base_model_name_or_path = request.model.model_dir;
    for (const LinearModule& module : layer_linear_modules(config, 0)) {
      if (std::find(lora.target_modules.begin(), lora.target_modules.end(), module.kind) == lora.target_modules.end())
        continue;
      const auto value = 1e-3f * static_cast<float>(request.config.seed % 97);
      adapter.modules[module.name] = {module.shape.in, module.shape.out,
                                      std::vector<float>(static_cast<std::size_t>(lora.r * module.shape.in), value),
                                      std::vector<float>(static_cast<std::size_t>(lora.r * module.shape.out), 1e-3f)};
    }
    return adapter;
  }

  const std::chrono::milliseconds delay_;
};

}  // namespace cutd
