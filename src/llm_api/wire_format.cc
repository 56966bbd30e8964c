#include "llm_api/wire_format.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "llm_api/anthropic_chat.h"
#include "llm_api/openai_chat.h"
#include "llm_api/reply_reader.h"
#include "llm_api/webhook_chat.h"

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

ChatReply read_body(WireFormat format, const ChatRequest& request, const Json& body) {
  switch (format) {
    case WireFormat::kOpenAi: return read_openai_reply(body);
    case WireFormat::kAnthropic: return read_anthropic_reply(request, body);
    case WireFormat::kWebhook: return read_webhook_reply(body);
  }
  throw Error(ErrorCode::kInternal, "unknown wire format");
}

std::optional<ChatUsage> usage_of(WireFormat format, const Json& body) {
  switch (format) {
    case WireFormat::kOpenAi: return read_openai_usage(body);
    case WireFormat::kAnthropic: return read_anthropic_usage(body);
    case WireFormat::kWebhook: return std::nullopt;
  }
  return std::nullopt;
}

ChatReply read_reply(WireFormat format, const ChatRequest& request, const HttpReply& reply) {
  const Json body = read_reply_json(reply);
  ChatReply result = read_body(format, request, body);
  const bool names_model = format != WireFormat::kWebhook;
  if (names_model && !is_asked_model(request.model, result.model, request.accepted_models)) {
    unusable(kAnotherModel, "\"" + result.model + "\" answered in place of \"" + request.model +
                                "\": add it to accepted_models if it is the same");
  }
  check_text(result);
  result.usage = usage_of(format, body);
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

HttpRequest api_request(const ChatEndpoint& endpoint, const std::string& path) {
  HttpRequest http;
  http.url = endpoint_url(endpoint.base_url, path);
  if (endpoint.format == WireFormat::kAnthropic) http.headers.push_back({"anthropic-version", "2023-06-01"});
  if (endpoint.key.empty()) return http;
  if (endpoint.format == WireFormat::kAnthropic) http.headers.push_back({"x-api-key", endpoint.key});
  else http.headers.push_back({"Authorization", "Bearer " + endpoint.key});
  return http;
}

HttpRequest chat_http_request(const ChatEndpoint& endpoint, const ChatRequest& request) {
  HttpRequest http;
  switch (endpoint.format) {
    case WireFormat::kOpenAi:
      http = api_request(endpoint, "/chat/completions");
      http.body = to_json_text(openai_request_body(request));
      break;
    case WireFormat::kAnthropic:
      http = api_request(endpoint, "/messages");
      http.body = to_json_text(anthropic_request_body(request));
      break;
    case WireFormat::kWebhook:
      http.url = endpoint.base_url;
      http.body = to_json_text(webhook_request_body(request));
      if (!endpoint.key.empty()) http.headers.push_back({"Authorization", "Bearer " + endpoint.key});
      break;
  }
  http.headers.push_back({"Content-Type", "application/json"});
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
    return usage_of(format, parse_json(body, "reply"));
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
