#include "llm_api/openai_chat.h"

#include <cmath>

#include "llm_api/reply_reader.h"

namespace cutd {
namespace {

ChatFinish openai_finish(const std::string& reason) {
  if (reason == "stop") return ChatFinish::kWhole;
  if (reason == "length") return ChatFinish::kTruncated;
  if (reason == "content_filter") return ChatFinish::kFiltered;
  if (reason == "tool_calls" || reason == "function_call") return ChatFinish::kTool;
  if (reason == "refusal") return ChatFinish::kRefused;
  return ChatFinish::kOther;
}

double logprob_of(const Json& entry) {
  const Json& value = member(entry, "logprob");
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    unusable("unexpected_shape", "a log-probability is no number");
  return value.get<double>();
}

std::vector<TokenLogprob> read_logprobs(const Json& choice) {
  std::vector<TokenLogprob> result;
  if (!has(choice, "logprobs") || !has(choice.at("logprobs"), "content")) return result;
  for (const Json& entry : array_member(choice.at("logprobs"), "content")) {
    TokenLogprob& token = result.emplace_back();
    token.token = string_member(entry, "token");
    token.logprob = logprob_of(entry);
    if (!has(entry, "top_logprobs")) continue;
    for (const Json& top : array_member(entry, "top_logprobs"))
      token.top.emplace_back(string_member(top, "token"), logprob_of(top));
  }
  return result;
}

// What the message says in place of, or beside, its text.
void apply_message(const Json& message, ChatReply& reply) {
  if (has(message, "role") && string_member(message, "role") != "assistant")
    unusable("unexpected_shape", "the reply is not the assistant's");
  if (has(message, "content")) reply.text = string_member(message, "content");
  if (has(message, "tool_calls") && !array_member(message, "tool_calls").empty()) reply.finish = ChatFinish::kTool;
  if (has(message, "refusal") && !string_member(message, "refusal").empty()) {
    reply.finish = ChatFinish::kRefused;
    reply.text = string_member(message, "refusal");
  }
  if (!has(message, "content") && reply.finish == ChatFinish::kWhole) unusable("empty", "the reply's content is null");
}

}  // namespace

Json openai_request_body(const ChatRequest& request) {
  Json messages = Json::array();
  for (const ChatMessage& message : request.messages)
    messages.push_back({{"role", message.role}, {"content", message.content}});
  Json body = {{"model", request.model}, {"messages", messages}};
  body[request.legacy_max_tokens ? "max_tokens" : "max_completion_tokens"] = request.max_tokens;
  if (request.temperature) body["temperature"] = *request.temperature;
  if (!request.stop.empty()) body["stop"] = request.stop;
  if (request.seed) body["seed"] = *request.seed;
  if (!request.schema.is_null()) {
    body["response_format"] = {
        {"type", "json_schema"},
        {"json_schema", {{"name", request.schema_name}, {"strict", true}, {"schema", request.schema}}}};
  }
  if (request.top_logprobs > 0) {
    body["logprobs"] = true;
    body["top_logprobs"] = request.top_logprobs;
  }
  return body;
}

ChatReply read_openai_reply(const Json& body) {
  const Json& choices = array_member(body, "choices");
  if (choices.size() != 1)
    unusable("unexpected_shape",
             "the reply has " + std::to_string(choices.size()) + " choices where one was asked for");
  const Json& choice = choices.front();
  ChatReply reply;
  reply.model = string_member(body, "model");
  if (has(body, "id")) reply.id = string_member(body, "id");
  reply.finish_name = string_member(choice, "finish_reason");
  reply.finish = openai_finish(reply.finish_name);
  apply_message(member(choice, "message"), reply);
  reply.logprobs = read_logprobs(choice);
  return reply;
}

std::optional<ChatUsage> read_openai_usage(const Json& body) {
  if (!has(body, "usage")) return std::nullopt;
  const Json& usage = body.at("usage");
  const auto input = token_count(usage, "prompt_tokens", false);
  const auto output = token_count(usage, "completion_tokens", false);
  if (!input || !output) return std::nullopt;
  ChatUsage result{*input, *output};
  if (has(usage, "prompt_tokens_details")) {
    result.cached_tokens = token_count(usage.at("prompt_tokens_details"), "cached_tokens", true).value_or(0);
  }
  if (result.cached_tokens > result.input_tokens) return std::nullopt;
  return result;
}

}  // namespace cutd
