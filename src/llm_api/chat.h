// One chat completion as values, whatever the API: what a judge asks and what a model says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/json.h"
#include "llm_api/failure.h"

namespace cutd {

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  std::int64_t max_tokens = 1024;
  std::optional<double> temperature;
  std::vector<std::string> stop;
  std::optional<std::int64_t> seed;  // OpenAI only
  Json schema;                       // null: free text; else the JSON schema of the reply's text
  std::string schema_name = "judgment";
  int top_logprobs = 0;           // OpenAI only; 0: no log-probabilities
  bool legacy_max_tokens = true;  // OpenAI: "max_tokens", which every server knows; false: "max_completion_tokens"
  std::vector<std::string> accepted_models;  // names that the reply may bear beside the asked one's; "*": any
  Json payload;                              // webhook only: the whole body, in place of everything above
};

enum class ChatFinish {
  kWhole,      // the model ended by itself, or at a stop string of ours: the only one that can be a judgment
  kTruncated,  // at a token limit
  kRefused,    // the model declined
  kFiltered,   // the provider withheld it
  kTool,       // it asked for a tool that it was not offered
  kOther,
};

struct ChatUsage {
  std::int64_t input_tokens = 0;        // all of them, cached ones included
  std::int64_t output_tokens = 0;       // reasoning included
  std::int64_t cached_tokens = 0;       // of the input, read from the provider's cache
  std::int64_t cache_write_tokens = 0;  // of the input, written to it (Anthropic bills them higher)
};

struct TokenLogprob {
  std::string token;
  double logprob = 0;
  std::vector<std::pair<std::string, double>> top;
};

struct ChatReply {
  std::string text;
  ChatFinish finish = ChatFinish::kOther;
  std::string finish_name;  // as the API calls it
  std::string model;
  std::string id;
  std::optional<ChatUsage> usage;  // nullopt: absent or not to be believed
  std::vector<TokenLogprob> logprobs;
};

using ChatOutcome = std::variant<ChatReply, ApiFailure>;

// Lower-case name ("whole").
const char* chat_finish_name(ChatFinish finish);

}  // namespace cutd
