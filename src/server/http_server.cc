#include "server/http_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "server/connection.h"
#include "server/unix_address.h"

namespace cutd {

namespace asio = boost::asio;
using server_detail::Connection;
using server_detail::Shared;
using Unix = asio::local::stream_protocol;

namespace {

// Whether the peer is a process of our own user.
bool is_own_user(Unix::socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

// Tells a client why it is not served, without waiting for it.
void turn_away(Unix::socket& socket, const Reply& reply) {
  const std::string text = reply_text(reply, false);
  ::send(socket.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

asio::awaitable<void> serve(Unix::socket socket, Shared& shared) {
  Connection<Unix> connection(std::move(socket), true, shared);
  co_await connection.run();
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Handler handler, const ServerLimits& limits, Logger& logger)
      : shared_(std::move(handler), limits, logger), acceptor_(context_), timer_(context_) {}

  ~Impl() { remove_socket(); }

  void listen_unix(const std::filesystem::path& path) {
    const UnixAddress address(path);
    try {
      std::filesystem::remove(path);
      acceptor_.open();
      acceptor_.bind(Unix::endpoint(address.name()));
      path_ = path;
      // Connecting is impossible before listen(), so nobody slips in under the old mode.
      if (::chmod(path.c_str(), 0600) != 0) throw_errno("cannot set the mode of " + path.string());
      acceptor_.listen();
    } catch (const std::system_error& error) {
      throw Error(ErrorCode::kIo, "cannot listen on " + path.string() + ": " + error.code().message());
    }
    asio::co_spawn(context_, accept_connections(), asio::detached);
  }

  void run() {
    context_.run();
    shared_.pool.join();
    remove_socket();
  }

  void stop() {
    asio::post(context_, [this] { begin_drain(); });
  }

 private:
  asio::awaitable<void> accept_connections() {
    while (!shared_.stopping) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (shared_.stopping || error == asio::error::operation_aborted) co_return;
      if (error) {  // out of descriptors, most likely: others will be closed soon
        shared_.logger.warning("cannot accept a connection: " + error.message());
        timer_.expires_after(std::chrono::milliseconds(100));
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      admit(std::move(socket));
    }
  }

  void admit(Unix::socket socket) {
    if (!is_own_user(socket)) {
      turn_away(socket, problem_reply(403, "this socket serves the daemon's own user", ErrorCode::kUsage));
    } else if (shared_.open >= shared_.limits.max_connections) {
      turn_away(socket, problem_reply(503, "too many connections", ErrorCode::kUnavailable));
    } else {
      asio::co_spawn(context_, serve(std::move(socket), shared_),
                     [this](std::exception_ptr failure) { ended(failure); });
    }
  }

  void ended(std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      shared_.logger.error(std::string("a connection failed: ") + error.what());
    }
    if (shared_.stopping && shared_.open == 0) timer_.cancel();
  }

  void begin_drain() {
    if (shared_.stopping) return;
    shared_.stopping = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (const auto& close : shared_.idle) close();
    if (shared_.open == 0) return;
    timer_.expires_after(std::chrono::milliseconds(shared_.limits.drain_ms));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) context_.stop();  // the patience is over; otherwise everything ended by itself
    });
  }

  void remove_socket() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
    path_.clear();
  }

  Shared shared_;
  asio::io_context context_{1};
  Unix::acceptor acceptor_;
  asio::steady_timer timer_;  // the acceptor's pause, then the drain's end
  std::filesystem::path path_;
};

HttpServer::HttpServer(Handler handler, const ServerLimits& limits, Logger& logger)
    : impl_(std::make_unique<Impl>(std::move(handler), limits, logger)) {}

HttpServer::~HttpServer() = default;

void HttpServer::listen_unix(const std::filesystem::path& path) { impl_->listen_unix(path); }
void HttpServer::run() { impl_->run(); }
void HttpServer::stop() { impl_->stop(); }

}  // namespace cutd
