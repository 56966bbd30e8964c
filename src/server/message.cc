#include "server/message.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace cutd {
namespace {

namespace http = boost::beast::http;

Reply bad_request(const std::string& why) {
  return problem_reply(400, "the request is not valid HTTP: " + why, ErrorCode::kBadInput);
}

// Beast unfolds continued header lines (obsolete, a smuggling tool); we refuse them.
bool has_folded_line(std::string_view text) {
  return text.find("\r\n ") != std::string_view::npos || text.find("\r\n\t") != std::string_view::npos;
}

std::string head_text(const Reply& reply, int status, std::string_view content_type) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + status_text(status) + "\r\n";
  if (status != 204) text += "Content-Type: " + std::string(content_type) + "\r\n";
  text += "X-Content-Type-Options: nosniff\r\n";
  bool may_be_kept = false;
  for (const auto& [name, value] : reply.headers) {
    text += name + ": " + value + "\r\n";
    may_be_kept = may_be_kept || name == "Cache-Control";
  }
  if (!may_be_kept) text += "Cache-Control: no-store\r\n";
  return text;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

std::optional<Reply> parse_head(std::string_view text, std::size_t body_limit, RequestHead& head) {
  if (has_folded_line(text)) return bad_request("a folded header line");
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(text.size() + 1));
  parser.body_limit(body_limit);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(text.data(), text.size()), error);
  const auto too_large = [&] {
    return problem_reply(413, "the request body may have at most " + std::to_string(body_limit) + " bytes",
                         ErrorCode::kBadInput);
  };
  if (error == http::error::body_limit) return too_large();
  if (error && error != http::error::need_more && error != http::error::unexpected_body)
    return bad_request(error.message());
  if (!parser.is_header_done()) return bad_request("the header does not end");
  const auto& message = parser.get();
  head.request.method = std::string(message.method_string());
  if (message.find(http::field::transfer_encoding) != message.end()) {
    return problem_reply(411, "transfer codings are not accepted: send Content-Length", ErrorCode::kBadInput);
  }
  if (message.count(http::field::content_length) > 1) return bad_request("two Content-Length headers");
  if (message.version() >= 11 && message.count(http::field::host) != 1)
    return bad_request("exactly one Host header is needed");
  head.content_length = parser.content_length().value_or(0);
  if (head.content_length > body_limit) return too_large();
  head.keep_alive = message.keep_alive();
  for (const auto& field : message) {
    std::string& value = head.request.headers[lower_case(field.name_string())];
    if (!value.empty()) value += ", ";
    value += field.value();
  }
  const auto expect = head.request.headers.find("expect");
  head.expects_continue = expect != head.request.headers.end() && lower_case(expect->second) == "100-continue";
  try {
    parse_target(std::string_view(message.target().data(), message.target().size()), head.request);
  } catch (const Error& failure) {
    return problem_reply(failure);
  }
  return std::nullopt;
}

std::string reply_head(const Reply& reply, bool keep_alive) {
  std::string text = head_text(reply, reply.status, reply.content_type);
  // In a 304 it would be the length of what is not sent; a 204 has none.
  if (reply.status != 304 && reply.status != 204)
    text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  text += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return text;
}

std::string reply_text(const Reply& reply, bool keep_alive) { return reply_head(reply, keep_alive) + reply.body; }

std::string event_stream_head(const Reply& reply) {
  return head_text(reply, 200, "text/event-stream") + "Connection: close\r\n\r\n";
}

}  // namespace cutd
