// A judge behind a webhook: what it is sent and how its reply is read (schemas/json/webhook_judge.json). No model of
// ours reads a prompt there, so that texts go as they are and nothing has to be neutralised.
#pragma once

#include "judge_client/judging_prompt.h"
#include "llm_api/chat.h"

namespace cutd {

// Stands for a prompt where there is none: no texts, and the strict reading of {"item", "perfect", "critique"}.
JudgingPrompt webhook_prompt();

ChatRequest webhook_judging_request(const JudgedText& text);

}  // namespace cutd
