// Strict reading of a reply's JSON, shared by the wire formats: what does not fit is an ApiFailure, thrown inside
// and turned into a value by parse_chat_reply.
#pragma once

#include <exception>
#include <string>

#include "llm_api/chat.h"
#include "llm_api/http.h"

namespace cutd {

// Inside llm_api only; never leaves parse_chat_reply.
struct UnusableReply : std::exception {
  explicit UnusableReply(ApiFailure reason) : failure(std::move(reason)) {}
  ApiFailure failure;
};

[[noreturn]] void unusable(const std::string& code, const std::string& message);

// The body of a reply of status 200 as a JSON object without an error in it.
Json read_reply_json(const HttpReply& reply);

// Members of the wanted type, else UnusableReply("unexpected_shape") naming the key.
const Json& member(const Json& object, const char* key);
std::string string_member(const Json& object, const char* key);
const Json& array_member(const Json& object, const char* key);
bool has(const Json& object, const char* key);  // present and not null

// A token count: nullopt unless a whole number from 0 to 100 million. An absent one is 0 where `optional`.
std::optional<std::int64_t> token_count(const Json& usage, const char* key, bool optional);

// Refuses a text that is a judgment's only by its finish: empty, or with a NUL in it.
void check_text(const ChatReply& reply);

}  // namespace cutd
