// Anthropic messages (reference: interfaces.md section 3).
#pragma once

#include "llm_api/wire_format.h"

namespace cutd {

// Error(kUsage) where the request wants log-probabilities or a seed, which the API does not have.
Json anthropic_request_body(const ChatRequest& request);

// Of a body that read_reply_json took. Throws UnusableReply.
ChatReply read_anthropic_reply(const ChatRequest& request, const Json& body);

std::optional<ChatUsage> read_anthropic_usage(const Json& body);

}  // namespace cutd
