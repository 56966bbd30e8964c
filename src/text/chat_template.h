// Chat templates (Jinja) rendered as Hugging Face's apply_chat_template does: one rendering function for
// training, generation and serving.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"
#include "text/tokenizer_config.h"

struct CutdChatTemplate;

namespace cutd {

struct ChatOptions {
  bool add_generation_prompt = false;
  Json tools;                       // array of tool schemas, or null
  Json documents;                   // array, or null
  Json variables = Json::object();  // further variables of the template; they win over those above
  // Seconds since the epoch that strftime_now() shows (in local time); absent: the present.
  std::optional<std::int64_t> now;
};

// A compiled template with its model's special tokens. Copies share it; const calls may run in parallel.
class ChatTemplate {
 public:
  // `special_tokens`: the variables bos_token, eos_token … of the template.
  // Throws Error(kBadInput) naming `origin` and the line of a syntax error.
  ChatTemplate(std::string_view source, const std::map<std::string, std::string>& special_tokens,
               const std::string& origin);

  // The template `name` of a model folder. Error(kNotFound) when the model has none.
  static ChatTemplate from_directory(const std::filesystem::path& directory, const std::string& name = "default");

  // `messages`: array of objects with "role" and "content". Throws Error(kBadInput) with the template's own
  // text when it calls raise_exception, else naming the origin, line and failure.
  std::string render(const Json& messages, const ChatOptions& options) const;

 private:
  std::shared_ptr<const CutdChatTemplate> handle_;
  std::map<std::string, std::string> special_tokens_;
  std::string origin_;
};

struct RenderedChat {
  std::string text;
  std::vector<TokenId> ids;  // of `text`, without adding special tokens: the template writes BOS itself
};
RenderedChat encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Json& messages,
                         const ChatOptions& options);

}  // namespace cutd
