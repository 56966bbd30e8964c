#include "round/run_text.h"

#include "dataset/model_text.h"

namespace cutd {

std::vector<std::int64_t> RunText::prompt_ids(const InstructionText& text) const {
  return encode(prompts.render(text), prompts.adds_special_tokens());
}

RunText read_run_text(const std::filesystem::path& model_dir, const PromptTemplateConfig& config) {
  ModelText text = read_model_text(model_dir, config);
  return RunText{std::move(text.prompts), std::move(text.encode), text.eos_id};
}

}  // namespace cutd
