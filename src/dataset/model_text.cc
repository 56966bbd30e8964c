#include "dataset/model_text.h"

#include "core/error.h"
#include "core/json.h"
#include "text/chat_template.h"

namespace cutd {
namespace {

ChatRenderer chat_renderer(const std::filesystem::path& model_dir) {
  return [chat = ChatTemplate::from_directory(model_dir)](const std::string& system, const std::string& user) {
    Json messages = Json::array();
    if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
    messages.push_back({{"role", "user"}, {"content", user}});
    ChatOptions options;
    options.add_generation_prompt = true;
    options.now = 0;  // a prompt must not change from day to day
    return chat.render(messages, options);
  };
}

std::vector<std::string> special_token_texts(const Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (const TokenId id : tokenizer.special_ids()) {
    if (const std::optional<std::string> text = tokenizer.id_to_token(id)) texts.push_back(*text);
  }
  return texts;
}

}  // namespace

ModelText read_model_text(const std::filesystem::path& model_dir, const PromptTemplateConfig& config) {
  const Tokenizer tokenizer = Tokenizer::from_directory(model_dir);
  if (!tokenizer.eos_id().has_value()) {
    throw Error(ErrorCode::kBadInput, (model_dir / "tokenizer_config.json").string() +
                                          ": key \"eos_token\" is missing or not in the vocabulary");
  }
  PromptTemplate prompts(config, config.name == "chat" ? chat_renderer(model_dir) : ChatRenderer(),
                         special_token_texts(tokenizer));
  const TextEncoder encode = [tokenizer](const std::string& text, bool add_special_tokens) {
    return tokenizer.encode(text, add_special_tokens);
  };
  return {tokenizer, std::move(prompts), encode, *tokenizer.eos_id()};
}

}  // namespace cutd
