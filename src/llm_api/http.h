// One HTTP exchange as values: what is asked, and what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cutd {

struct HttpHeader {
  std::string name;  // lower case in replies
  std::string value;
};

struct HttpRequest {
  bool post = true;  // false: GET without a body
  std::string url;
  std::vector<HttpHeader> headers;  // may hold a key: never logged, never part of an error's text
  std::string body;
};

// A whole reply, of any status; redirects are not followed.
struct HttpReply {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;             // unpacked
  std::int64_t elapsed_ms = 0;  // since sending began; waiting for a free place is not in it

  // The value of the first header of that lower-case name, or "".
  std::string_view header(std::string_view name) const;
};

enum class HttpFailureKind {
  kRefused,      // by us: URL, address or header not permitted
  kResolve,      // the host's name has no address
  kConnect,      // nobody listens there, or not in time
  kCertificate,  // the server could not prove who it is
  kTls,          // the TLS handshake failed in another way
  kTimeout,      // no first byte, or no end, in time
  kInterrupted,  // the connection broke
  kTooLarge,     // the reply went beyond its limit
  kGarbled,      // what came is not HTTP, or not the gzip it says it is
  kCancelled,    // by us: asked to stop
};

struct HttpFailure {
  HttpFailureKind kind = HttpFailureKind::kInterrupted;
  // False: no byte of the request can have reached the server, so it cannot have acted, or charged.
  bool maybe_sent = false;
  int status = 0;       // of the reply's head where one came
  std::string message;  // names host and cause, no header, path or query
  // What came of the body: unpacked, or as it came where nothing could be unpacked. Never more than a whole one may
  // have.
  std::string body = "";
};

using HttpOutcome = std::variant<HttpReply, HttpFailure>;

// Lower-case name ("interrupted").
const char* http_failure_name(HttpFailureKind kind);

}  // namespace cutd
