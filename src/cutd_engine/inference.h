// What `logprobs` and `generate` share: the model of a command line, and its input rows.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "generator/generator.h"
#include "model/policy.h"
#include "text/chat_template.h"

namespace CLI {
class App;
}

namespace cutd {

struct InferenceOptions {
  std::string model;
  std::string adapter;
  std::string dtype = "float32";
  std::string device = "auto";
  std::int64_t threads = 0;
  std::string input;
  std::string output;
  bool json = false;
};
void add_inference_options(CLI::App& command, InferenceOptions& options);

// Weights with the adapter folded in, and the tokenizer where the folder has one.
struct LoadedModel {
  explicit LoadedModel(const InferenceOptions& options);

  std::unique_ptr<Policy> policy;
  std::optional<Tokenizer> tokenizer;
};

struct InputRow {
  Json id;
  std::vector<std::int64_t> ids;
};

// Rows of {"id", "ids"} or, when `prompts` is true, also {"id", "prompt"} (the tokenizer's special tokens added)
// and {"id", "messages"} (chat template with generation prompt). Error(kBadInput) naming "path:line".
std::vector<InputRow> read_input_rows(const std::filesystem::path& path, const LoadedModel& model, bool prompts);

// Writes the rows to the output as JSON Lines, whole or not at all, and says so on standard output; `tokens` is what
// all of them have.
void write_output_rows(const InferenceOptions& options, const std::vector<Json>& rows, std::size_t tokens);

// "generate 3/8, 210 tokens/s" on standard error, at most twice a second and only on a terminal.
Generator::OnProgress show_progress(const std::string& what);

}  // namespace cutd
