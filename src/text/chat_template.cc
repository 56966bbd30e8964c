#include "text/chat_template.h"

#include "core/error.h"
#include "native/cutd_native.h"
#include "text/native_result.h"

namespace cutd {
namespace {

// A message's reasoning is known under three names; templates read the first, gpt-oss the second. As in
// transformers, whichever is given appears under both.
Json with_reasoning_aliases(const Json& message) {
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    if (!message.contains(name) || message.at(name).is_null()) continue;
    Json result = {{"thinking", message.at(name)}};
    result.update(message);
    result["reasoning_content"] = message.at(name);
    return result;
  }
  return message;
}

void check_objects(const Json& rows, const char* what, const std::string& origin) {
  if (!rows.is_array()) throw Error(ErrorCode::kBadInput, origin + ": \"" + what + "\" must be an array");
  for (std::size_t index = 0; index < rows.size(); ++index) {
    if (rows[index].is_object()) continue;
    throw Error(ErrorCode::kBadInput, origin + ": " + what + "[" + std::to_string(index) + "] must be an object");
  }
}

const char* json_kind(const Json& value) { return value.is_null() ? "null" : value.type_name(); }

}  // namespace

ChatTemplate::ChatTemplate(std::string_view source, const std::map<std::string, std::string>& special_tokens,
                           const std::string& origin)
    : special_tokens_(special_tokens), origin_(origin) {
  CutdChatTemplate* raw = nullptr;
  NativeResult result;
  const int code = cutd_chat_template_new(native_bytes(source), source.size(), &raw, result.out());
  handle_ = std::shared_ptr<const CutdChatTemplate>(raw, [](const CutdChatTemplate* chat_template) {
    if (chat_template != nullptr) cutd_chat_template_free(const_cast<CutdChatTemplate*>(chat_template));
  });
  result.check(code, origin_ + ": chat template");
}

ChatTemplate ChatTemplate::from_directory(const std::filesystem::path& directory, const std::string& name) {
  const TokenizerConfig config = read_tokenizer_config(directory);
  const auto found = config.chat_templates.find(name);
  if (found == config.chat_templates.end()) {
    throw Error(ErrorCode::kNotFound, directory.string() + ": the model has no chat template \"" + name +
                                          "\" (chat_template in tokenizer_config.json, or chat_template.jinja)");
  }
  return ChatTemplate(found->second, config.named_tokens, directory.string());
}

std::string ChatTemplate::render(const Json& messages, const ChatOptions& options) const {
  check_objects(messages, "messages", origin_);
  if (!options.tools.is_null()) check_objects(options.tools, "tools", origin_);
  if (!options.documents.is_null()) check_objects(options.documents, "documents", origin_);
  if (!options.variables.is_object()) {
    throw Error(ErrorCode::kBadInput,
                origin_ + ": template variables must be an object, not " + json_kind(options.variables));
  }
  Json variables = Json::object();
  for (const auto& [name, token] : special_tokens_) variables[name] = token;
  variables["tools"] = options.tools;
  variables["documents"] = options.documents;
  variables["add_generation_prompt"] = options.add_generation_prompt;
  Json aliased = Json::array();
  for (const Json& message : messages) aliased.push_back(with_reasoning_aliases(message));
  variables["messages"] = std::move(aliased);
  for (const auto& [name, value] : options.variables.items()) variables[name] = value;

  std::string text;
  try {
    text = variables.dump();
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kBadInput, origin_ + ": messages: " + error.what());
  }
  NativeResult result;
  const int code = cutd_chat_template_render(handle_.get(), native_bytes(text), text.size(),
                                             options.now ? &*options.now : nullptr, result.out());
  result.check(code, origin_ + ": chat template");
  return std::string(result.bytes());
}

RenderedChat encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, const Json& messages,
                         const ChatOptions& options) {
  RenderedChat chat;
  chat.text = chat_template.render(messages, options);
  chat.ids = tokenizer.encode(chat.text, /*add_special_tokens=*/false);
  return chat;
}

}  // namespace cutd
