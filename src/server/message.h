// HTTP/1.1 text: a request's head into values, a reply into text. No sockets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"

namespace cutd {

// ASCII letters only, as HTTP compares names.
std::string lower_case(std::string_view text);

struct RequestHead {
  Request request;  // without body
  std::size_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

// `text` ends with the empty line. Fills `head`, or returns the refusal after which the connection must be
// closed: 400 for what does not parse (folded or repeated framing headers, a missing Host), 411 for a
// transfer coding, 413 for a body beyond `body_limit`.
std::optional<Reply> parse_head(std::string_view text, std::size_t body_limit, RequestHead& head);

// Everything before a reply's body, with the length of the body.
std::string reply_head(const Reply& reply, bool keep_alive);
// The whole reply.
std::string reply_text(const Reply& reply, bool keep_alive);

// The head of a text/event-stream, which lasts until the connection closes.
std::string event_stream_head(const Reply& reply);

}  // namespace cutd
