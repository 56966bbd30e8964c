#include "cutd_engine/inference.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "core/error.h"
#include "core/files.h"
#include "model/device.h"

namespace cutd {

void add_inference_options(CLI::App& command, InferenceOptions& options) {
  command.add_option("--model", options.model, "Hugging Face folder")->required();
  command.add_option("--adapter", options.adapter, "PEFT adapter folder, folded into the weights");
  command.add_option("--dtype", options.dtype, "float32 or bfloat16")->capture_default_str();
  command.add_option("--device", options.device, "auto, cpu or cuda:N")->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads (0: one per core)")->capture_default_str();
  command.add_option("--input", options.input, "JSON Lines")->required();
  command.add_option("--output", options.output, "JSON Lines, in the order of the input; appears when all is done")
      ->required();
  command.add_flag("--json", options.json, "One JSON object on standard output: {\"output\", \"rows\", \"tokens\"}");
}

LoadedModel::LoadedModel(const InferenceOptions& options) {
  const at::Device device = parse_device(options.device);
  set_compute_threads(options.threads);
  policy = std::make_unique<Policy>(options.model, parse_dtype(options.dtype), device);
  policy->set_adapter(options.adapter);
  // A folder of weights alone is enough for ids.
  if (std::filesystem::exists(std::filesystem::path(options.model) / "tokenizer.json")) {
    tokenizer = Tokenizer::from_directory(options.model);
  }
}

std::vector<InputRow> read_input_rows(const std::filesystem::path& path, const LoadedModel& model, bool prompts) {
  std::vector<InputRow> rows;
  std::optional<ChatTemplate> chat;
  const ModelConfig& config = model.policy->config();
  read_json_lines(path, [&](const Json& row, std::size_t number) {
    const std::string origin = path.string() + ":" + std::to_string(number);
    InputRow result;
    if (!row.is_object()) throw Error(ErrorCode::kBadInput, origin + ": each line is a JSON object");
    if (row.contains("id")) result.id = row.at("id");
    if (row.contains("ids") || !prompts) {
      result.ids = json_get<std::vector<std::int64_t>>(row, "ids", origin);
    } else if (!row.contains("prompt") && !row.contains("messages")) {
      throw Error(ErrorCode::kBadInput, origin + ": one of the keys \"ids\", \"prompt\" and \"messages\" is needed");
    } else if (!model.tokenizer) {
      throw Error(ErrorCode::kBadInput,
                  origin + ": text needs a tokenizer.json in " + model.policy->model_dir().string());
    } else if (row.contains("prompt")) {
      result.ids = model.tokenizer->encode(json_get<std::string>(row, "prompt", origin), true);
    } else {
      if (!chat) chat = ChatTemplate::from_directory(model.policy->model_dir());
      ChatOptions options;
      options.add_generation_prompt = true;
      result.ids = encode_chat(*model.tokenizer, *chat, row.at("messages"), options).ids;
    }
    if (result.ids.empty()) throw Error(ErrorCode::kBadInput, origin + ": no ids");
    for (const std::int64_t id : result.ids) {
      if (id < 0 || id >= config.vocab_size) {
        throw Error(ErrorCode::kBadInput, origin + ": id " + std::to_string(id) + " is outside the vocabulary of " +
                                              std::to_string(config.vocab_size));
      }
    }
    const std::int64_t most = config.max_position_embeddings - (prompts ? 1 : 0);
    if (static_cast<std::int64_t>(result.ids.size()) > most) {
      throw Error(ErrorCode::kBadInput, origin + ": " + std::to_string(result.ids.size()) +
                                            " ids are more than the model's " + std::to_string(most));
    }
    rows.push_back(std::move(result));
  });
  return rows;
}

void write_output_rows(const InferenceOptions& options, const std::vector<Json>& rows, std::size_t tokens) {
  std::string text;
  for (const Json& row : rows) text += to_json_text(row) + "\n";
  write_file_durably(options.output, text);
  if (options.json) {
    const Json summary = {{"output", options.output}, {"rows", rows.size()}, {"tokens", tokens}};
    std::printf("%s\n", to_json_text(summary).c_str());
    return;
  }
  std::printf("%s: %zu rows, %zu tokens\n", options.output.c_str(), rows.size(), tokens);
}

Generator::OnProgress show_progress(const std::string& what) {
  if (::isatty(STDERR_FILENO) == 0) return {};
  auto last = std::make_shared<std::chrono::steady_clock::time_point>();
  return [what, last](const GenerationProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    const bool done = progress.finished == progress.total;
    if (!done && now - *last < std::chrono::milliseconds(500)) return;
    *last = now;
    std::fprintf(stderr, "\r%s %lld/%lld, %.0f tokens/s%s", what.c_str(), static_cast<long long>(progress.finished),
                 static_cast<long long>(progress.total), progress.tokens_per_second, done ? "\n" : "");
  };
}

}  // namespace cutd
