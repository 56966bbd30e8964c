// OpenAI chat completions, which vLLM, llama.cpp and most others also speak (reference: interfaces.md section 1).
#pragma once

#include "llm_api/wire_format.h"

namespace cutd {

Json openai_request_body(const ChatRequest& request);

// Of a body that read_reply_json took. Throws UnusableReply.
ChatReply read_openai_reply(const Json& body);

std::optional<ChatUsage> read_openai_usage(const Json& body);

}  // namespace cutd
