#include "llm_api/wire_format.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "llm_api/anthropic_chat.h"
#include "llm_api/openai_chat.h"
#include "llm_api/reply_reader.h"

namespace cutd {
namespace {

std::string endpoint_url(const std::string& base, const std::string& path) {
  std::string url = base;
  while (url.ends_with("/")) url.pop_back();
  return url + (url.ends_with("/v1") ? "" : "/v1") + path;
}

// "-2024-08-06", "-20241022", "-0613": what a provider appends to a model's name for one version of it.
bool is_date_suffix(const std::string& suffix) {
  if (suffix.size() < 5 || suffix.front() != '-') return false;
  return std::all_of(suffix.begin(), suffix.end(), [](unsigned char c) { return std::isdigit(c) || c == '-'; });
}

ChatReply read_reply(WireFormat format, const ChatRequest& request, const HttpReply& reply) {
  const Json body = read_reply_json(reply);
  ChatReply result = format == WireFormat::kOpenAi ? read_openai_reply(body) : read_anthropic_reply(request, body);
  if (!is_asked_model(request.model, result.model, request.accepted_models)) {
    unusable("wrong_model", "\"" + result.model + "\" answered in place of \"" + request.model +
                                "\": add it to accepted_models if it is the same");
  }
  check_text(result);
  result.usage = format == WireFormat::kOpenAi ? read_openai_usage(body) : read_anthropic_usage(body);
  return result;
}

}  // namespace

const char* chat_finish_name(ChatFinish finish) {
  switch (finish) {
    case ChatFinish::kWhole: return "whole";
    case ChatFinish::kTruncated: return "truncated";
    case ChatFinish::kRefused: return "refused";
    case ChatFinish::kFiltered: return "filtered";
    case ChatFinish::kTool: return "tool";
    case ChatFinish::kOther: return "other";
  }
  return "other";
}

HttpRequest chat_http_request(const ChatEndpoint& endpoint, const ChatRequest& request) {
  HttpRequest http;
  http.headers.push_back({"Content-Type", "application/json"});
  if (endpoint.format == WireFormat::kOpenAi) {
    http.url = endpoint_url(endpoint.base_url, "/chat/completions");
    http.body = to_json_text(openai_request_body(request));
    if (!endpoint.key.empty()) http.headers.push_back({"Authorization", "Bearer " + endpoint.key});
  } else {
    http.url = endpoint_url(endpoint.base_url, "/messages");
    http.body = to_json_text(anthropic_request_body(request));
    http.headers.push_back({"anthropic-version", "2023-06-01"});
    if (!endpoint.key.empty()) http.headers.push_back({"x-api-key", endpoint.key});
  }
  return http;
}

ChatOutcome parse_chat_reply(WireFormat format, const ChatRequest& request, const HttpReply& reply,
                             std::int64_t wall_micros) {
  if (reply.status != 200) return classify_status(reply, wall_micros);
  try {
    return read_reply(format, request, reply);
  } catch (const UnusableReply& refusal) {
    return refusal.failure;
  }
}

std::optional<ChatUsage> read_usage(WireFormat format, const std::string& body) {
  try {
    const Json json = parse_json(body, "reply");
    return format == WireFormat::kOpenAi ? read_openai_usage(json) : read_anthropic_usage(json);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_asked_model(const std::string& asked, const std::string& replied, const std::vector<std::string>& accepted) {
  const auto named = [&](const std::string& name) { return name == "*" || name == replied; };
  if (replied == asked || std::any_of(accepted.begin(), accepted.end(), named)) return true;
  const std::string latest = "-latest";
  const std::string stem = asked.ends_with(latest) ? asked.substr(0, asked.size() - latest.size()) : asked;
  return replied.starts_with(stem) && is_date_suffix(replied.substr(stem.size()));
}

}  // namespace cutd
