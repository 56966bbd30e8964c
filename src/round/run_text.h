// A model's text side as rounds need it: prompts rendered and encoded the same way for generation and
// training. Values only, so that tests bring their own encoder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "dataset/prepare.h"
#include "dataset/prompt_template.h"

namespace cutd {

// Constant after construction; thread-safe.
struct RunText {
  PromptTemplate prompts;
  TextEncoder encode;
  std::int64_t eos_id = 0;

  // Ids of the prompt that asks for a response to `text`.
  std::vector<std::int64_t> prompt_ids(const InstructionText& text) const;
};

using RunTextReader =
    std::function<RunText(const std::filesystem::path& model_dir, const PromptTemplateConfig& config)>;

// From the tokenizer and chat template of a model folder (dataset/model_text.h).
RunText read_run_text(const std::filesystem::path& model_dir, const PromptTemplateConfig& config);

}  // namespace cutd
