// Requests and replies as plain values: handlers are tested without sockets.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "server/access.h"

namespace cutd {

class Writer;
struct Reply;

// How errors name where a member was looked for.
inline constexpr const char* kRequestBody = "request body";

struct Request {
  std::string method;                          // "GET"
  std::string path;                            // decoded, begins with '/', without the query
  std::map<std::string, std::string> query;    // decoded; a repeated name keeps its last value
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::map<std::string, std::string> captures;      // {name} parts of the route's pattern; set by the Router
  bool local = false;                               // came over the Unix socket from the daemon's own user
  std::string peer;                                 // address of the client; empty on the Unix socket
  std::optional<Principal> principal;               // who asks; set by the Gate, none: nobody known
  std::function<void(Writer&, const Reply&)> keep;  // keeps the reply for repeats; see server/change_once.h
};

// Text of server-sent events, pulled by the connection a few times a second on the API threads: "" when
// there is nothing new, nullopt at the end of the stream. Never blocks.
using EventSource = std::function<std::optional<std::string>()>;

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  EventSource events;  // set: a text/event-stream instead of `body`
};

using Handler = std::function<Reply(const Request&)>;

Reply json_reply(const Json& value, int status = 200);
Reply empty_reply();  // 204

// RFC 9457 problem details: {"title", "status", "detail", "code"}. `code` is an error_code_name() or one of HTTP's
// own: "unauthorized", "forbidden", "too_many".
Reply problem_reply(int status, const std::string& detail, const char* code);
Reply problem_reply(int status, const std::string& detail, ErrorCode code);
Reply problem_reply(const Error& error);

// The value of a header named in lower case, or none.
const std::string* find_header(const Request& request, const char* name);

int http_status(ErrorCode code);
const char* status_text(int status);

// "/a%20b?x=1&y=a+b" into path and query. Throws Error(kBadInput) for a target that is not origin-form, a
// broken escape, a NUL or invalid UTF-8.
void parse_target(std::string_view target, Request& request);

// The body as a JSON object ({} when empty). Throws Error(kBadInput).
Json json_body(const Request& request);

// A query value as an integer within [least, most]. Throws Error(kBadInput) naming it.
std::int64_t query_integer(const Request& request, const std::string& name, std::int64_t fallback, std::int64_t least,
                           std::int64_t most);

// "event: NAME\ndata: JSON\n\n", with an id when `id` is not empty.
std::string event_text(const std::string& name, const Json& data, const std::string& id = "");

}  // namespace cutd
