// Everything textual of a model folder that data preparation needs, read once.
#pragma once

#include <cstdint>
#include <filesystem>

#include "dataset/prepare.h"
#include "dataset/prompt_template.h"
#include "text/tokenizer.h"

namespace cutd {

// Constant after construction; thread-safe.
struct ModelText {
  Tokenizer tokenizer;
  PromptTemplate prompts;
  TextEncoder encode;       // calls `tokenizer`, of which it holds a copy
  std::int64_t eos_id = 0;  // the tokenizer's EOS, which ends a trained response
};

// Reads tokenizer and, for the chat template, chat_template. Throws Error naming the file; kBadInput when the
// tokenizer names no EOS.
ModelText read_model_text(const std::filesystem::path& model_dir, const PromptTemplateConfig& config);

}  // namespace cutd
