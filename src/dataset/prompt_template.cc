#include "dataset/prompt_template.h"

#include <cctype>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"

namespace cutd {
namespace {

constexpr const char* kDelimiterWords[] = {"instruction", "judgment", "response"};

bool is_space_or_tab(char c) { return c == ' ' || c == '\t'; }

// If a delimiter word and its colon start at `position`: true.
bool delimiter_word_at(std::string_view text, std::size_t position) {
  for (const std::string_view word : kDelimiterWords) {
    if (text.size() < position + word.size() + 1) continue;
    std::size_t matched = 0;
    while (matched < word.size() &&
           std::tolower(static_cast<unsigned char>(text[position + matched])) == word[matched]) {
      ++matched;
    }
    if (matched < word.size()) continue;
    std::size_t colon = position + word.size();
    while (colon < text.size() && is_space_or_tab(text[colon])) ++colon;
    if (colon < text.size() && text[colon] == ':') return true;
  }
  return false;
}

// Runs of three or more hashes before a delimiter word shrink to one.
std::string neutralise_headings(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t end = i;
    while (end < text.size() && text[end] == '#') ++end;
    const std::size_t hashes = end - i;
    if (hashes == 0) {
      result.push_back(text[i++]);
      continue;
    }
    std::size_t word = end;
    while (word < text.size() && is_space_or_tab(text[word])) ++word;
    result.append(hashes >= 3 && delimiter_word_at(text, word) ? 1 : hashes, '#');
    i = end;
  }
  return result;
}

void break_special_token(std::string& text, const std::string& token) {
  if (token.size() < 2) return;  // a single character cannot be broken
  for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at + 1)) {
    text.insert(at + 1, " ");
  }
}

std::string alpaca_prompt(const std::string& instruction, const std::optional<std::string>& judgment) {
  if (!judgment.has_value()) {
    return "Below is an instruction that describes a task. Write a response that appropriately completes the "
           "request.\n\n### Instruction:\n" +
           instruction + "\n\n### Response:\n";
  }
  return "Below is an instruction that describes a task. Write a response to the instruction and the response "
         "should match the corresponding judgment.\n\n### Instruction:\n" +
         instruction + "\n\n### Judgment:\n" + *judgment + "\n\n### Response:\n";
}

}  // namespace

void declare_template_options(OptionTable& table, PromptTemplateConfig& config) {
  table.add("template.name", &config.name, "alpaca: the authors' prompts; chat: the model's chat template",
            one_of({"alpaca", "chat"}));
  table.add("template.system", &config.system, "chat: text of the system turn; empty: none");
  table.add("template.judgment_text", &config.judgment_text, "chat: what stands between instruction and judgment");
}

std::string neutralise_delimiters(std::string_view text, const std::vector<std::string>& special_tokens) {
  std::string result = neutralise_headings(text);
  for (const std::string& token : special_tokens) break_special_token(result, token);
  return result;
}

PromptTemplate::PromptTemplate(PromptTemplateConfig config, ChatRenderer chat, std::vector<std::string> special_tokens)
    : config_(std::move(config)), chat_(std::move(chat)), special_tokens_(std::move(special_tokens)) {
  if (config_.name != "alpaca" && config_.name != "chat") {
    throw Error(ErrorCode::kUsage, "template.name must be alpaca or chat, not \"" + config_.name + "\"");
  }
  if (config_.name == "chat" && !chat_) {
    throw Error(ErrorCode::kUsage, "template.name is chat, but the model has no chat template: use alpaca");
  }
}

std::string PromptTemplate::render(const InstructionText& text, const std::optional<std::string>& judgment) const {
  const std::string shown = text.input.empty() ? text.instruction : text.instruction + "\n" + text.input;
  const std::string instruction = neutralise_delimiters(shown, special_tokens_);
  std::optional<std::string> criticism;
  if (judgment.has_value()) criticism = neutralise_delimiters(*judgment, special_tokens_);
  if (config_.name == "alpaca") return alpaca_prompt(instruction, criticism);
  return chat_(config_.system, criticism.has_value() ? instruction + config_.judgment_text + *criticism : instruction);
}

std::string PromptTemplate::render_response(std::string_view response) const {
  return neutralise_delimiters(response, special_tokens_);
}

std::string PromptTemplate::version() const {
  if (config_.name == "alpaca") return "alpaca";
  // The rendering of a probe stands for the chat template, which is not ours to name.
  const Json identity = {config_.system, config_.judgment_text, chat_(config_.system, "instruction")};
  return "chat:" + sha256_hex(to_json_text(identity)).substr(0, 12);
}

}  // namespace cutd
