#include "judge_client/webhook_judge.h"

namespace cutd {

JudgingPrompt webhook_prompt() {
  JudgingPrompt prompt;
  prompt.name = "webhook";
  prompt.rule.parser = "json_schema";
  prompt.rule.has_item = true;
  return prompt;
}

ChatRequest webhook_judging_request(const JudgedText& text) {
  constexpr int kVersion = 1;
  ChatRequest request;
  request.payload = {{"version", kVersion},
                     {"item", item_code(text)},
                     {"instruction", text.instruction},
                     {"response", text.response},
                     {"ended", text.ended}};
  if (!text.reference.empty()) request.payload["reference"] = text.reference;
  return request;
}

}  // namespace cutd
