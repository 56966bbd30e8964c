// The APIs' wire formats as pure functions: a ChatRequest to HTTP, an HTTP reply to a ChatOutcome. Parsing is a
// step of its own, so that a stored reply can be parsed again without paying again.
#pragma once

#include <string>

#include "llm_api/chat.h"
#include "llm_api/http.h"

namespace cutd {

enum class WireFormat { kOpenAi, kAnthropic, kWebhook };

struct ChatEndpoint {
  WireFormat format = WireFormat::kOpenAi;
  // "https://api.openai.com/v1", "https://api.anthropic.com"; with or without "/v1". A webhook's is the URL itself.
  std::string base_url;
  std::string key;  // empty: none is sent
};

// `path` ("/models") of the API with its credentials, without a body. Not of a webhook, which has one URL.
HttpRequest api_request(const ChatEndpoint& endpoint, const std::string& path);

// The whole request. Error(kUsage) for what the API has no field for.
HttpRequest chat_http_request(const ChatEndpoint& endpoint, const ChatRequest& request);

// Strict (reliability P16): status 200, application/json in UTF-8, no duplicate key, depth 32, no NUL, no error object,
// exactly one answer by the asked model (a webhook names none), and a text where the finish is kWhole. Everything else
// is a failure.
ChatOutcome parse_chat_reply(WireFormat format, const ChatRequest& request, const HttpReply& reply,
                             std::int64_t wall_micros);

// What the reply says that it used, for settling its price: of any reply whose JSON can be read, usable or not.
// nullopt where it is missing, negative, or larger than any model's context, and always of a webhook.
std::optional<ChatUsage> read_usage(WireFormat format, const std::string& body);

// True when `replied` is `asked`, a dated snapshot of it ("gpt-4o" and "gpt-4o-2024-08-06"), what "-latest" stands for,
// or accepted by name.
bool is_asked_model(const std::string& asked, const std::string& replied, const std::vector<std::string>& accepted);

}  // namespace cutd
