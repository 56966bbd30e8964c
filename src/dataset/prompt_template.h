// The text a model sees, for training, generation and serving alike: one rendering function, so that the
// three can never differ (architecture section 8).
//
//   PromptTemplate prompts(config, chat, special_tokens);
//   std::string plain = prompts.render({"Name a fruit.", ""});                 // Align-P, Misalign, inference
//   std::string judged = prompts.render({"Name a fruit.", ""}, "Too short.");  // Align-N
//   ids = encode(plain, prompts.adds_special_tokens());
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace cutd {

struct PromptTemplateConfig {
  std::string name = "alpaca";  // alpaca: method.md section 4, verbatim; chat: the model's own chat template
  std::string system;           // chat: text of the system turn; empty: none is given
  std::string judgment_text = "\n\nWrite a response that matches this judgment: ";  // chat: put before the judgment
};

// Declares "template.name", "template.system" and "template.judgment_text".
void declare_template_options(OptionTable& table, PromptTemplateConfig& config);

// What a user asks. With a non-empty `input` the instruction shown is instruction + "\n" + input.
struct InstructionText {
  std::string instruction;
  std::string input;
};

// The model's chat template with a generation prompt, applied to a system text (none when empty) and one
// user turn.
using ChatRenderer = std::function<std::string(const std::string& system, const std::string& user)>;

// Makes the template's own delimiters inside `text` harmless: "### Judgment:", "### Response:" and
// "### Instruction:" (three or more hashes, any case) keep one hash, and each of `special_tokens` (such as
// "<|im_end|>", which a tokenizer would read as a control token) gets a blank after its first character.
// Text without delimiters is returned unchanged.
std::string neutralise_delimiters(std::string_view text, const std::vector<std::string>& special_tokens = {});

// Constant after construction; thread-safe if the renderer is.
class PromptTemplate {
 public:
  // `chat` may be empty for "alpaca". Throws Error(kUsage) for an unknown name or a missing chat template.
  PromptTemplate(PromptTemplateConfig config, ChatRenderer chat, std::vector<std::string> special_tokens = {});

  // The prompt, up to where the response starts. With a judgment: the context that asks for a response
  // matching it. Delimiters inside the arguments are neutralised.
  std::string render(const InstructionText& text, const std::optional<std::string>& judgment = std::nullopt) const;

  // The response as it is trained on.
  std::string render_response(std::string_view response) const;

  // Whether the tokenizer adds its special tokens (BOS) to the rendered prompt; a chat template writes its own.
  bool adds_special_tokens() const { return config_.name == "alpaca"; }

  // Stable name for manifests and stored responses: "alpaca" or "chat:" and 12 hex digits of its texts.
  std::string version() const;

  const PromptTemplateConfig& config() const { return config_; }

 private:
  const PromptTemplateConfig config_;
  const ChatRenderer chat_;
  const std::vector<std::string> special_tokens_;
};

}  // namespace cutd
