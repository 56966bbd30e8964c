// What went wrong with one attempt, classified by what the caller should do (reliability P17).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"
#include "llm_api/http.h"

namespace cutd {

enum class FailureClass {
  kRetryable,   // not done and, as far as one can know, not charged: the same request may succeed later
  kUnknown,     // the server may have acted and charged, and its answer is lost: never re-sent without a policy's word
  kUnusable,    // an answer came, probably charged, and is no judgment
  kPermanent,   // the same request can never succeed: key, URL, model, request
  kSpendLimit,  // credit or a spending limit of the provider is used up: stop everything at once
};

// The code of a reply that another model than the one asked for has written: so will every other reply be, and each is
// paid.
inline constexpr const char* kAnotherModel = "wrong_model";

struct ApiFailure {
  FailureClass what = FailureClass::kUnusable;
  int status = 0;           // HTTP, 0 where none came
  std::string code;         // the API's code or type, or a name of ours ("timeout", "not_json")
  std::string message;      // for the operator: what happened and what to do; holds no key
  bool never_sent = false;  // nobody was reached: no such host, nobody listening, no TLS
  bool throttled = false;   // the server asked for fewer requests
  bool retry_soon = true;   // kRetryable: false where the server said not now (x-should-retry: false)
  std::optional<std::int64_t> retry_after_ms;  // at least so long, counted from the reply
  std::string received;                        // of an attempt without a whole reply: what came of its body
};

// Lower-case name ("spend_limit").
const char* failure_class_name(FailureClass what);

ApiFailure classify_http_failure(const HttpFailure& failure);

// Any reply whose status is not 200. `wall_micros`: now, for dates in Retry-After.
ApiFailure classify_status(const HttpReply& reply, std::int64_t wall_micros);

// The error object that APIs put into bodies, also into those of status 200; nullopt where `body` has none.
// Its numeric code, where there is one, counts like a status.
std::optional<ApiFailure> classify_error_object(const Json& body, int status);

// The wait that the headers ask for, in the SDKs' order: retry-after-ms, then Retry-After as seconds or as a date.
// Negative, NaN and unreadable values count as absent; more than a month as a month.
std::optional<std::int64_t> retry_after_ms(const HttpReply& reply, std::int64_t wall_micros);

// Whether a failure says that key, URL, certificate or model are wrong, and not the one request. `in_a_row`: permanent
// failures without any other outcome between them, this one included; a 403 may be about one text. Pure.
bool is_about_annotator(const ApiFailure& failure, int in_a_row);

// `text` with every occurrence of `secret` replaced: servers echo keys in their complaints.
std::string without_secret(std::string text, const std::string& secret);

}  // namespace cutd
