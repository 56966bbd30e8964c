// What tokenizer_config.json, special_tokens_map.json and chat_template.jinja say about a tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace cutd {

// An entry of added_tokens_decoder: a token matched whole in text.
struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool special = false;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
};

struct TokenizerConfig {
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> pad_token;
  std::optional<std::string> unk_token;
  // Every special token the files name by role ("bos_token", "sep_token", …): variables of chat templates.
  std::map<std::string, std::string> named_tokens;
  std::vector<std::string> extra_special_tokens;
  std::vector<AddedToken> added_tokens;  // ascending ids
  std::optional<bool> add_bos_token;     // absent: what tokenizer.json's post-processor does
  std::optional<bool> add_eos_token;
  // "default" and further names ("tool_use", "rag"); empty when the model has no chat template.
  std::map<std::string, std::string> chat_templates;
};

// Interprets the parsed files; `special_tokens_map` may be null and yields to `config` key by key.
// Throws Error(kBadInput) naming `origin` and the key.
TokenizerConfig parse_tokenizer_config(const Json& config, const Json& special_tokens_map, const std::string& origin);

// Reads the files of a model folder, all optional. chat_template.jinja and additional_chat_templates/*.jinja
// win over the templates in tokenizer_config.json, as in Hugging Face.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory);

}  // namespace cutd
