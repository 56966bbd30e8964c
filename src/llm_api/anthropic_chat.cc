#include "llm_api/anthropic_chat.h"

#include <algorithm>

#include "core/error.h"
#include "llm_api/reply_reader.h"

namespace cutd {
namespace {

ChatFinish anthropic_finish(const std::string& reason) {
  if (reason == "end_turn") return ChatFinish::kWhole;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return ChatFinish::kTruncated;
  if (reason == "refusal") return ChatFinish::kRefused;
  if (reason == "tool_use") return ChatFinish::kTool;
  return ChatFinish::kOther;  // pause_turn among them
}

bool ended_at_own_stop(const ChatRequest& request, const Json& body) {
  if (!has(body, "stop_sequence")) return false;
  const std::string stop = string_member(body, "stop_sequence");
  return std::find(request.stop.begin(), request.stop.end(), stop) != request.stop.end();
}

void read_content(const Json& content, ChatReply& reply) {
  for (const Json& block : content) {
    const std::string type = string_member(block, "type");
    if (type == "text") reply.text += string_member(block, "text");
    else if (type == "tool_use" || type == "server_tool_use") reply.finish = ChatFinish::kTool;
    else if (type != "thinking" && type != "redacted_thinking") reply.finish = ChatFinish::kOther;
  }
}

// Words of JSON Schema that bound a value: the API refuses a schema that has one.
constexpr const char* kBounds[] = {"minimum",    "maximum",   "exclusiveMinimum", "exclusiveMaximum",
                                   "multipleOf", "minLength", "maxLength",        "maxItems"};

// `schema` as the API takes it. Bounds become words of the description, as Anthropic's own clients do it; whoever reads
// the reply checks them anyway.
Json without_bounds(Json schema) {
  if (schema.is_array()) {
    for (Json& one : schema) one = without_bounds(std::move(one));
    return schema;
  }
  if (!schema.is_object()) return schema;
  std::string bounds;
  for (const char* word : kBounds) {
    if (!schema.contains(word)) continue;
    bounds += (bounds.empty() ? "" : ", ") + std::string(word) + ": " + schema[word].dump();
    schema.erase(word);
  }
  if (!bounds.empty()) {
    const std::string before = schema.value("description", "");
    schema["description"] = before + (before.empty() ? "" : "\n\n") + "{" + bounds + "}";
  }
  for (const char* word : {"items", "anyOf", "allOf"}) {
    if (schema.contains(word)) schema[word] = without_bounds(std::move(schema[word]));
  }
  for (const char* word : {"properties", "$defs"}) {  // their members are names
    if (!schema.contains(word) || !schema[word].is_object()) continue;
    for (Json& property : schema[word]) property = without_bounds(std::move(property));
  }
  return schema;
}

}  // namespace

Json anthropic_request_body(const ChatRequest& request) {
  if (request.top_logprobs > 0)
    throw Error(ErrorCode::kUsage,
                "Anthropic's API gives no log-probabilities: take an OpenAI-compatible model for this evaluator");
  if (request.seed) throw Error(ErrorCode::kUsage, "Anthropic's API takes no seed: remove it from this annotator");
  std::string system;
  Json messages = Json::array();
  for (const ChatMessage& message : request.messages) {
    if (message.role == "system") system += (system.empty() ? "" : "\n\n") + message.content;
    else messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  Json body = {{"model", request.model}, {"max_tokens", request.max_tokens}, {"messages", messages}};
  if (!system.empty()) body["system"] = system;
  if (request.temperature) body["temperature"] = *request.temperature;
  if (!request.stop.empty()) body["stop_sequences"] = request.stop;
  if (!request.schema.is_null())
    body["output_config"] = {{"format", {{"type", "json_schema"}, {"schema", without_bounds(request.schema)}}}};
  return body;
}

ChatReply read_anthropic_reply(const ChatRequest& request, const Json& body) {
  if (string_member(body, "type") != "message") unusable("unexpected_shape", "the reply is no message");
  if (string_member(body, "role") != "assistant") unusable("unexpected_shape", "the reply is not the assistant's");
  ChatReply reply;
  reply.model = string_member(body, "model");
  if (has(body, "id")) reply.id = string_member(body, "id");
  reply.finish_name = string_member(body, "stop_reason");
  reply.finish = anthropic_finish(reply.finish_name);
  if (reply.finish_name == "stop_sequence" && ended_at_own_stop(request, body)) reply.finish = ChatFinish::kWhole;
  read_content(array_member(body, "content"), reply);
  return reply;
}

std::optional<ChatUsage> read_anthropic_usage(const Json& body) {
  if (!has(body, "usage")) return std::nullopt;
  const Json& usage = body.at("usage");
  const auto input = token_count(usage, "input_tokens", false);
  const auto output = token_count(usage, "output_tokens", false);
  const auto written = token_count(usage, "cache_creation_input_tokens", true);
  const auto read = token_count(usage, "cache_read_input_tokens", true);
  if (!input || !output || !written || !read) return std::nullopt;
  return ChatUsage{*input + *written + *read, *output, *read, *written};  // input_tokens leaves cached ones out
}

}  // namespace cutd
