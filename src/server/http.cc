#include "server/http.h"

#include <charconv>
#include <cstdint>

namespace cutd {
namespace {

[[noreturn]] void bad_target(const std::string& why) { throw Error(ErrorCode::kBadInput, "request target: " + why); }

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string decode_percent(std::string_view text, bool plus_is_space) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char byte = text[i];
    if (byte == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) bad_target("broken escape");
      byte = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (byte == '+' && plus_is_space) {
      byte = ' ';
    }
    if (byte == '\0') bad_target("a zero byte");
    result += byte;
  }
  return result;
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());  // strict by default
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace

const std::string* find_header(const Request& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? nullptr : &found->second;
}

Reply json_reply(const Json& value, int status) {
  Reply reply;
  reply.status = status;
  reply.body = to_json_text(value) + "\n";
  return reply;
}

Reply empty_reply() {
  Reply reply;
  reply.status = 204;
  return reply;
}

Reply problem_reply(int status, const std::string& detail, const char* code) {
  Reply reply =
      json_reply({{"title", status_text(status)}, {"status", status}, {"detail", detail}, {"code", code}}, status);
  reply.content_type = "application/problem+json";
  return reply;
}

Reply problem_reply(int status, const std::string& detail, ErrorCode code) {
  return problem_reply(status, detail, error_code_name(code));
}

Reply problem_reply(const Error& error) { return problem_reply(http_status(error.code()), error.what(), error.code()); }

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kBadInput: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kBusy:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled: return 503;
    case ErrorCode::kResource: return 507;
    case ErrorCode::kIo:
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

const char* status_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 507: return "Insufficient Storage";
    default: return "Error";
  }
}

void parse_target(std::string_view target, Request& request) {
  if (target.empty() || target.front() != '/') bad_target("must begin with \"/\"");
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  request.path = decode_percent(target.substr(0, mark), false);
  if (!is_utf8(request.path)) bad_target("not UTF-8");
  if (mark == std::string_view::npos) return;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string name = decode_percent(pair.substr(0, equals), true);
    const std::string value = equals == std::string_view::npos ? "" : decode_percent(pair.substr(equals + 1), true);
    if (!is_utf8(name) || !is_utf8(value)) bad_target("not UTF-8");
    request.query[name] = value;
  }
}

Json json_body(const Request& request) {
  if (request.body.empty()) return Json::object();
  Json value = parse_json(request.body, kRequestBody);
  if (!value.is_object()) throw Error(ErrorCode::kBadInput, "request body: must be a JSON object");
  return value;
}

std::int64_t query_integer(const Request& request, const std::string& name, std::int64_t fallback, std::int64_t least,
                           std::int64_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  const std::string& text = found->second;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw Error(ErrorCode::kBadInput, "query parameter \"" + name + "\" must be an integer from " +
                                          std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::string event_text(const std::string& name, const Json& data, const std::string& id) {
  std::string text;
  if (!id.empty()) text += "id: " + id + "\n";
  return text + "event: " + name + "\ndata: " + to_json_text(data) + "\n\n";
}

}  // namespace cutd
