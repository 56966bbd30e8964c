// The life of one connection as a coroutine: read a request within its limits and deadlines, answer it,
// again until one side is done. The same for the Unix socket and TCP. Included by http_server.cc alone;
// everything here runs on the server's I/O thread.
#pragma once

#include <algorithm>
#include <array>
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
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "server/http.h"
#include "server/http_server.h"
#include "server/message.h"

namespace cutd::server_detail {

namespace asio = boost::asio;

// A connection that waits for its client: for a request, for the rest of one, or for a reply to be read.
struct Waiting {
  std::function<void()> close;
  bool local = false;  // on the Unix socket
  bool idle = false;   // nothing of a request is there yet, or the rest of it is not wanted
};

// What the connections of one server share.
struct Shared {
  Handler handler;
  ServerLimits limits;
  Logger& logger;
  asio::thread_pool pool;
  bool stopping = false;
  std::map<std::uint64_t, Waiting> waiting;  // by when the wait began
  std::uint64_t waits = 0;                   // begun since the start
  std::size_t open = 0;
  std::size_t open_local = 0;                          // of them on the Unix socket
  std::map<std::string, std::size_t> open_by_address;  // TCP only
  ServerCounters& counters;

  Shared(Handler handler_, const ServerLimits& limits_, Logger& logger_, ServerCounters& counters_)
      : handler(std::move(handler_)),
        limits(limits_),
        logger(logger_),
        pool(limits_.handler_threads),
        counters(counters_) {}

  // Closes the connection of its kind that has waited longest for its client; its descriptor is free at once. False:
  // none waits.
  bool evict(bool local) {
    const auto is_of_kind = [local](const auto& entry) { return entry.second.local == local; };
    const auto oldest = std::find_if(waiting.begin(), waiting.end(), is_of_kind);
    if (oldest == waiting.end()) return false;
    waiting.extract(oldest).mapped().close();
    return true;
  }
};

// Marks a connection as one that waits, for the time of its life.
class Wait {
 public:
  Wait(Shared& shared, Waiting waiting) : shared_(shared), key_(shared.waits++) {
    shared_.waiting.emplace(key_, std::move(waiting));
  }
  ~Wait() { shared_.waiting.erase(key_); }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

 private:
  Shared& shared_;
  const std::uint64_t key_;
};

template <typename Protocol>
class Connection {
 public:
  // `peer`: the client's address; empty on the Unix socket, which makes it local.
  Connection(typename Protocol::socket socket, std::string peer, Shared& shared)
      : stream_(std::move(socket)), peer_(std::move(peer)), shared_(shared) {
    ++shared_.open;
    ++shared_.counters.connections_open;
    if (peer_.empty()) ++shared_.open_local;
    else ++shared_.open_by_address[peer_];
  }
  ~Connection() {
    --shared_.open;
    --shared_.counters.connections_open;
    if (peer_.empty()) {
      --shared_.open_local;
      return;
    }
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
  static constexpr std::size_t kDiscardBytes = 16 << 10;  // at a time

  // A deadline that passes closes the socket, so a late client is not told why.
  void expire_in(std::int64_t milliseconds) { stream_.expires_after(std::chrono::milliseconds(milliseconds)); }

  Waiting waiting(bool idle = false) {
    return {[this] { close(); }, peer_.empty(), idle};
  }

  void close() {
    boost::system::error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
    stream_.socket().close(ignored);
  }

  // Until the first byte of a request is there. False: the client is gone, slow, or the server stops.
  asio::awaitable<bool> wait_for_request(std::int64_t patience_ms) {
    if (!input_.empty()) co_return true;
    expire_in(patience_ms);
    const Wait wait(shared_, waiting(true));
    input_.resize(1024);
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(input_), kToken);
    input_.resize(error ? 0 : count);
    co_return !error;
  }

  // One request and its reply. False when the connection must end.
  asio::awaitable<bool> exchange() {
    RequestHead head;
    if (!co_await read_head(head)) co_return false;
    if (head.expects_continue && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
    if (!co_await read_body(head)) co_return false;
    head.request.local = peer_.empty();
    head.request.peer = peer_;
    const auto begun = std::chrono::steady_clock::now();
    Reply reply = co_await asio::co_spawn(shared_.pool, handle(head.request), asio::use_awaitable);
    shared_.counters.count(reply.status, std::chrono::steady_clock::now() - begun);
    const bool keep_alive = head.keep_alive && !shared_.stopping;
    const bool with_body = head.request.method != "HEAD";
    if (reply.events) co_return co_await stream_events(reply, with_body);
    co_return co_await write_reply(std::move(reply), keep_alive, with_body) && keep_alive;
  }

  asio::awaitable<Reply> handle(const Request& request) { co_return shared_.handler(request); }

  asio::awaitable<bool> read_head(RequestHead& head) {
    expire_in(shared_.limits.header_ms);
    const auto [error, size] = co_await read_until_empty_line();
    if (error == asio::error::not_found) {
      co_return co_await refuse(problem_reply(431, "the request header is too long", ErrorCode::kBadInput), true);
    }
    if (error || size > shared_.limits.header_bytes) co_return false;
    const std::string text = input_.substr(0, size);
    input_.erase(0, size);
    const std::optional<Reply> refusal = parse_head(text, shared_.limits.body_bytes, head);
    if (refusal) co_return co_await refuse(*refusal, head.request.method != "HEAD");
    co_return true;
  }

  asio::awaitable<std::tuple<boost::system::error_code, std::size_t>> read_until_empty_line() {
    const Wait wait(shared_, waiting());
    auto buffer = asio::dynamic_buffer(input_, std::max(shared_.limits.header_bytes, input_.size()));
    co_return co_await asio::async_read_until(stream_, buffer, "\r\n\r\n", kToken);
  }

  asio::awaitable<bool> read_body(RequestHead& head) {
    expire_in(shared_.limits.body_ms);
    if (input_.size() < head.content_length) {
      const Wait wait(shared_, waiting());
      const std::size_t have = input_.size();
      input_.resize(head.content_length);
      const auto [error, count] =
          co_await asio::async_read(stream_, asio::buffer(input_.data() + have, head.content_length - have), kToken);
      if (error) co_return false;
    }
    if (input_.size() == head.content_length) {
      head.request.body = std::exchange(input_, {});  // what waits for its next request keeps no room for this one
    } else {
      head.request.body = input_.substr(0, head.content_length);
      input_.erase(0, head.content_length);
    }
    co_return true;
  }

  // Always false: after a refusal the connection ends.
  asio::awaitable<bool> refuse(Reply reply, bool with_body) {
    shared_.counters.count(reply.status, {});
    // Not as the condition: GCC 12 compiles `if (co_await f(moved)) co_await g();` into a crash.
    const bool written = co_await write_reply(std::move(reply), false, with_body);
    if (written) co_await discard_the_rest();
    close();
    co_return false;
  }

  // Reads what a refused client still sends, until it ends or linger_ms are over. A socket that is closed with bytes
  // unread is reset, and the reset may overtake the reply (RFC 9112, section 9.6).
  asio::awaitable<void> discard_the_rest() {
    boost::system::error_code gone;
    stream_.socket().shutdown(Protocol::socket::shutdown_send, gone);
    expire_in(shared_.limits.linger_ms);
    const Wait wait(shared_, waiting(true));
    input_.resize(kDiscardBytes);
    while (!gone && !shared_.stopping) {
      const auto [error, count] = co_await stream_.async_read_some(asio::buffer(input_), kToken);
      gone = error;
    }
  }

  asio::awaitable<bool> write_reply(Reply reply, bool keep_alive, bool with_body) {
    std::string head = reply_head(reply, keep_alive);
    if (!with_body) reply.body.clear();
    co_return co_await write(std::move(head), std::move(reply.body));
  }

  asio::awaitable<bool> write(std::string head, std::string body = "") {
    expire_in(shared_.limits.write_ms);
    const Wait wait(shared_, waiting());
    const std::array<asio::const_buffer, 2> text = {asio::buffer(head), asio::buffer(body)};
    const auto [error, count] = co_await asio::async_write(stream_, text, kToken);
    co_return !error;
  }

  // Always false: the end of the connection is the end of the stream.
  asio::awaitable<bool> stream_events(Reply reply, bool with_body) {
    if (!co_await write(event_stream_head(reply)) || !with_body) co_return false;
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
        if (!co_await write(std::move(*text))) co_return false;
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
