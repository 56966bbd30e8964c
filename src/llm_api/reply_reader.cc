#include "llm_api/reply_reader.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"

namespace cutd {
namespace {

// "Application/JSON; charset=UTF-8" and the like.
bool is_json_type(std::string_view header) {
  std::string type;
  for (const char c : header) {
    if (c != ' ' && c != '\t' && c != '"') type += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const std::size_t semicolon = type.find(';');
  const std::string kind = type.substr(0, semicolon);
  if (kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json"))) return false;
  const std::size_t charset = type.find("charset=");
  return charset == std::string::npos || type.compare(charset, 13, "charset=utf-8") == 0;
}

}  // namespace

void unusable(const std::string& code, const std::string& message) {
  ApiFailure failure;
  failure.what = FailureClass::kUnusable;
  failure.status = 200;
  failure.code = code;
  failure.message = message;
  throw UnusableReply(failure);
}

Json read_reply_json(const HttpReply& reply) {
  const std::string type = std::string(reply.header("content-type"));
  if (!is_json_type(type))
    unusable("not_json",
             "the reply is \"" + type.substr(0, 100) + "\", not application/json: is the base URL an API's?");
  if (reply.body.empty()) unusable("empty", "the reply is empty");
  Json body;
  try {
    body = parse_json(reply.body, "reply");
  } catch (const Error& error) {
    unusable("not_json", error.what());
  }
  if (!body.is_object()) unusable("unexpected_shape", "the reply is JSON but no object");
  if (auto failure = classify_error_object(body, reply.status)) throw UnusableReply(*failure);
  return body;
}

bool has(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && !object.at(key).is_null();
}

const Json& member(const Json& object, const char* key) {
  if (!has(object, key)) unusable("unexpected_shape", std::string("the reply has no \"") + key + "\"");
  return object.at(key);
}

std::string string_member(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) unusable("unexpected_shape", std::string("the reply's \"") + key + "\" is no text");
  return value.get<std::string>();
}

const Json& array_member(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_array()) unusable("unexpected_shape", std::string("the reply's \"") + key + "\" is no list");
  return value;
}

std::optional<std::int64_t> token_count(const Json& usage, const char* key, bool optional) {
  constexpr std::int64_t kMost = 100'000'000;
  if (!has(usage, key)) return optional ? std::optional<std::int64_t>(0) : std::nullopt;
  const Json& value = usage.at(key);
  if (!value.is_number_unsigned()) return std::nullopt;  // the parser gives whole numbers from 0 up as unsigned
  const auto count = value.get<std::uint64_t>();
  if (count > kMost) return std::nullopt;
  return static_cast<std::int64_t>(count);
}

void check_text(const ChatReply& reply) {
  if (reply.text.find('\0') != std::string::npos) unusable("nul", "the reply's text holds a NUL character");
  const bool blank = std::all_of(reply.text.begin(), reply.text.end(), [](unsigned char c) { return std::isspace(c); });
  if (reply.finish == ChatFinish::kWhole && blank) unusable("empty", "the reply's text is empty");
}

}  // namespace cutd
