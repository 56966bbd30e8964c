// The life of one connection as a coroutine: read a request within its limits and deadlines, answer it,
// again until one side is done. The same for the Unix socket and TCP. Included by http_server.cc alone;
// everything here runs on the server's I/O thread.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "server/http.h"
#include "server/http_server.h"
#include "server/message.h"

namespace cutd::server_detail {

namespace asio = boost::asio;

// What the connections of one server share.
struct Shared {
  Handler handler;
  ServerLimits limits;
  Logger& logger;
  asio::thread_pool pool;
  bool stopping = false;
  std::list<std::function<void()>> idle;  // closes each connection that waits for a request
  std::size_t open = 0;
  std::map<std::string, std::size_t> open_by_address;  // TCP only
  ServerCounters& counters;

  Shared(Handler handler_, const ServerLimits& limits_, Logger& logger_, ServerCounters& counters_)
      : handler(std::move(handler_)),
        limits(limits_),
        logger(logger_),
        pool(limits_.handler_threads),
        counters(counters_) {}
};

template <typename Protocol>
class Connection {
 public:
  // `peer`: the client's address; empty on the Unix socket, which makes it local.
  Connection(typename Protocol::socket socket, std::string peer, Shared& shared)
      : stream_(std::move(socket)), peer_(std::move(peer)), shared_(shared) {
    ++shared_.open;
    ++shared_.counters.connections_open;
    if (!peer_.empty()) ++shared_.open_by_address[peer_];
  }
  ~Connection() {
    --shared_.open;
    --shared_.counters.connections_open;
    if (peer_.empty()) return;
    const auto found = shared_.open_by_address.find(peer_);
    if (--found->second == 0) shared_.open_by_address.erase(found);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> run() {
    bool open = true;
    for (bool first = true; open && !shared_.stopping; first = false) {
      if (!co_await wait_for_request(first ? shared_.limits.header_ms : shared_.limits.idle_ms)) co_return;
      open = co_await exchange();
    }
    close();
  }

 private:
  static constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

  // A deadline that passes closes the socket, so a late client is not told why.
  void expire_in(std::int64_t milliseconds) { stream_.expires_after(std::chrono::milliseconds(milliseconds)); }

  void close() {
    boost::system::error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
    stream_.socket().close(ignored);
  }

  // Until the first byte of a request is there. False: the client is gone, slow, or the server stops.
  asio::awaitable<bool> wait_for_request(std::int64_t patience_ms) {
    if (!input_.empty()) co_return true;
    expire_in(patience_ms);
    const auto entry = shared_.idle.insert(shared_.idle.end(), [this] { close(); });
    input_.resize(1024);
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(input_), kToken);
    shared_.idle.erase(entry);
    input_.resize(error ? 0 : count);
    co_return !error;
  }

  // One request and its reply. False when the connection must end.
  asio::awaitable<bool> exchange() {
    RequestHead head;
    if (!co_await read_head(head)) co_return false;
    if (head.expects_continue && !co_await write_text("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
    if (!co_await read_body(head)) co_return false;
    head.request.local = peer_.empty();
    head.request.peer = peer_;
    const auto begun = std::chrono::steady_clock::now();
    Reply reply = co_await asio::co_spawn(shared_.pool, handle(head.request), asio::use_awaitable);
    shared_.counters.count(reply.status, std::chrono::steady_clock::now() - begun);
    const bool keep_alive = head.keep_alive && !shared_.stopping;
    if (reply.events) co_return co_await stream_events(reply);
    co_return co_await write_text(reply_text(reply, keep_alive)) && keep_alive;
  }

  asio::awaitable<Reply> handle(const Request& request) { co_return shared_.handler(request); }

  asio::awaitable<bool> read_head(RequestHead& head) {
    expire_in(shared_.limits.header_ms);
    auto buffer = asio::dynamic_buffer(input_, std::max(shared_.limits.header_bytes, input_.size()));
    const auto [error, size] = co_await asio::async_read_until(stream_, buffer, "\r\n\r\n", kToken);
    if (error == asio::error::not_found) co_return co_await refuse(431, "the request header is too long");
    if (error || size > shared_.limits.header_bytes) co_return false;
    const std::string text = input_.substr(0, size);
    input_.erase(0, size);
    const std::optional<Reply> refusal = parse_head(text, shared_.limits.body_bytes, head);
    if (refusal) {
      shared_.counters.count(refusal->status, {});
      co_await write_text(reply_text(*refusal, false));
      close();
      co_return false;
    }
    co_return true;
  }

  asio::awaitable<bool> read_body(RequestHead& head) {
    expire_in(shared_.limits.body_ms);
    if (input_.size() < head.content_length) {
      const std::size_t have = input_.size();
      input_.resize(head.content_length);
      const auto [error, count] =
          co_await asio::async_read(stream_, asio::buffer(input_.data() + have, head.content_length - have), kToken);
      if (error) co_return false;
    }
    head.request.body = input_.substr(0, head.content_length);
    input_.erase(0, head.content_length);
    co_return true;
  }

  asio::awaitable<bool> refuse(int status, std::string detail) {
    const Reply reply = problem_reply(status, detail, ErrorCode::kBadInput);
    shared_.counters.count(status, {});
    co_await write_text(reply_text(reply, false));
    close();
    co_return false;
  }

  asio::awaitable<bool> write_text(std::string text) {
    expire_in(shared_.limits.write_ms);
    const auto [error, count] = co_await asio::async_write(stream_, asio::buffer(text), kToken);
    co_return !error;
  }

  // Always false: the end of the connection is the end of the stream.
  asio::awaitable<bool> stream_events(Reply reply) {
    if (!co_await write_text(event_stream_head(reply))) co_return false;
    asio::steady_timer timer(stream_.get_executor());
    std::int64_t quiet_ms = 0;
    while (!shared_.stopping) {
      std::optional<std::string> text =
          co_await asio::co_spawn(shared_.pool, next_events(reply.events), asio::use_awaitable);
      if (!text) break;
      quiet_ms += shared_.limits.event_poll_ms;
      if (text->empty() && quiet_ms >= shared_.limits.event_keep_alive_ms) *text = ": still here\n\n";
      if (!text->empty()) {
        quiet_ms = 0;
        if (!co_await write_text(std::move(*text))) co_return false;
      }
      timer.expires_after(std::chrono::milliseconds(shared_.limits.event_poll_ms));
      co_await timer.async_wait(kToken);
    }
    co_return false;
  }

  asio::awaitable<std::optional<std::string>> next_events(const EventSource& events) {
    try {
      co_return events();
    } catch (const std::exception& error) {
      shared_.logger.error(std::string("event stream: ") + error.what());
      co_return std::nullopt;
    }
  }

  boost::beast::basic_stream<Protocol> stream_;
  const std::string peer_;
  Shared& shared_;
  std::string input_;  // read, not yet used
};

}  // namespace cutd::server_detail
