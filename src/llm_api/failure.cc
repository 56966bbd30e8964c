#include "llm_api/failure.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.h"

namespace cutd {
namespace {

constexpr int kTooManyRequests = 429;
constexpr int kProxyWantsKey = 407;

bool is_retryable(int status) {
  return status == 408 || status == 409 || status == 425 || status == kTooManyRequests || status >= 500;
}

// Codes that say that money, not speed, is the limit; beside them all that end as in is_spend_code.
constexpr std::array kSpendCodes = {"insufficient_quota",
                                    "credit_balance_exhausted",
                                    "organization_usage_limit_exceeded",
                                    "billing_hard_limit_reached",
                                    "billing_not_active",
                                    "billing_error",
                                    "linked_organization_billing_unavailable",
                                    "organization_on_hold"};
// The same said only in words, with a general code.
constexpr std::array kSpendWords = {"credit balance is too low", "specified API usage limits",
                                    "exceeded your current quota"};

bool is_spend_code(std::string_view code) {
  return std::find(kSpendCodes.begin(), kSpendCodes.end(), code) != kSpendCodes.end() ||
         code.ends_with("spend_limit_reached") || code.ends_with("spend_limit_exceeded");
}

bool has_spend_words(const std::string& message) {
  return std::any_of(kSpendWords.begin(), kSpendWords.end(),
                     [&](const char* words) { return message.find(words) != std::string::npos; });
}

std::string text_member(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return "";
  const Json& value = object.at(key);
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? value.dump() : "";
}

std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 500;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

struct ErrorObject {
  std::string code;
  std::string type;
  std::string detail_code;
  std::string message;
  bool found = false;
};

ErrorObject read_error(const Json& body) {
  ErrorObject result;
  if (!body.is_object() || !body.contains("error") || body.at("error").is_null()) return result;
  const Json& error = body.at("error");
  result.found = true;
  result.code = text_member(error, "code");
  result.type = text_member(error, "type");
  result.message = error.is_string() ? error.get<std::string>() : text_member(error, "message");
  if (error.is_object() && error.contains("details"))
    result.detail_code = text_member(error.at("details"), "error_code");
  return result;
}

bool is_spend_limit(int status, const ErrorObject& error) {
  return status == 402 || is_spend_code(error.code) || is_spend_code(error.type) || is_spend_code(error.detail_code) ||
         has_spend_words(error.message);
}

std::string advice(int status) {
  if (status >= 300 && status < 400) return "the server redirects, which is never followed: correct the base URL";
  switch (status) {
    case 400: return "the API refuses the request";
    case 401: return "the API does not accept the key: correct the credential";
    case 402: return "the API wants to be paid: add credit";
    case 403: return "the key may not do this: check its permissions";
    case 404: return "the model or the path is unknown there: check model and base URL";
    case kProxyWantsKey: return "the proxy wants a password, which cutd does not send: use another one";
    case 413: return "the request is too large for the API";
    case 422: return "the API refuses the request";
    case kTooManyRequests: return "the API asks for fewer requests";
    default: return status >= 500 ? "the API has a fault of its own" : "the API refuses the request";
  }
}

std::string describe(int status, const ErrorObject& error) {
  std::string text = "HTTP " + std::to_string(status) + ": " + advice(status);
  return error.message.empty() ? text : text + " (" + shortened(error.message) + ")";
}

std::string spend_text(const ErrorObject& error) {
  const std::string text =
      "credit or a spending limit at the provider is used up: add credit or raise the limit, then resume";
  return error.message.empty() ? text : text + " (" + shortened(error.message) + ")";
}

FailureClass class_of_status(int status, const ErrorObject& error) {
  if (is_spend_limit(status, error)) return FailureClass::kSpendLimit;
  if (is_retryable(status)) return FailureClass::kRetryable;
  return status >= 200 && status < 300 ? FailureClass::kUnusable : FailureClass::kPermanent;
}

ErrorObject error_in(const std::string& body) {
  try {
    return read_error(parse_json(body, "error"));
  } catch (const Error&) {
    return {};  // HTML of a proxy: the status says enough
  }
}

}  // namespace

const char* failure_class_name(FailureClass what) {
  switch (what) {
    case FailureClass::kRetryable: return "retryable";
    case FailureClass::kUnknown: return "unknown";
    case FailureClass::kUnusable: return "unusable";
    case FailureClass::kPermanent: return "permanent";
    case FailureClass::kSpendLimit: return "spend_limit";
  }
  return "unusable";
}

ApiFailure classify_http_failure(const HttpFailure& failure) {
  ApiFailure result;
  result.status = failure.status;
  result.code = http_failure_name(failure.kind);
  result.message = failure.message;
  switch (failure.kind) {
    case HttpFailureKind::kRefused:
    case HttpFailureKind::kCertificate: result.what = FailureClass::kPermanent; break;
    case HttpFailureKind::kTooLarge:
    case HttpFailureKind::kGarbled: result.what = FailureClass::kUnusable; break;
    default: result.what = failure.maybe_sent ? FailureClass::kUnknown : FailureClass::kRetryable;
  }
  result.never_sent = result.what == FailureClass::kRetryable && failure.kind != HttpFailureKind::kCancelled;
  return result;
}

ApiFailure classify_status(const HttpReply& reply, std::int64_t wall_micros) {
  const ErrorObject error = error_in(reply.body);
  ApiFailure result;
  result.what = class_of_status(reply.status, error);
  result.status = reply.status;
  result.code = !error.detail_code.empty() ? error.detail_code : !error.code.empty() ? error.code : error.type;
  if (result.code.empty()) result.code = "http_" + std::to_string(reply.status);
  result.message = result.what == FailureClass::kSpendLimit ? spend_text(error) : describe(reply.status, error);
  result.throttled = reply.status == kTooManyRequests && result.what == FailureClass::kRetryable;
  result.retry_soon = reply.header("x-should-retry") != "false";
  result.retry_after_ms = retry_after_ms(reply, wall_micros);
  return result;
}

std::optional<ApiFailure> classify_error_object(const Json& body, int status) {
  const ErrorObject error = read_error(body);
  if (!error.found) return std::nullopt;
  ApiFailure result;
  int meant = status;
  if (error.code.size() == 3 &&
      std::all_of(error.code.begin(), error.code.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    meant = std::stoi(error.code);
  }
  result.what = class_of_status(meant, error);
  // The status said that it was done, so it may have been charged: no reason to send it again by ourselves.
  if (result.what == FailureClass::kRetryable && status == 200) result.what = FailureClass::kUnusable;
  result.status = status;
  result.code = !error.code.empty() ? error.code : error.type.empty() ? "error" : error.type;
  result.message = result.what == FailureClass::kSpendLimit ? spend_text(error)
                                                            : "the reply holds an error: " + shortened(error.message);
  return result;
}

bool is_about_annotator(const ApiFailure& failure, int in_a_row) {
  constexpr int kForbiddenInARow = 5;
  if (failure.code == kAnotherModel) return true;
  if (failure.what != FailureClass::kPermanent) return false;
  if (failure.status == 403) return in_a_row >= kForbiddenInARow;
  const bool never_got_there = failure.status == 0 || (failure.status >= 300 && failure.status < 400);
  return never_got_there || failure.status == 401 || failure.status == 404 || failure.status == kProxyWantsKey;
}

std::string without_secret(std::string text, const std::string& secret) {
  if (secret.empty()) return text;
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "[key]");
  return text;
}

}  // namespace cutd
