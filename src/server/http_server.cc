#include "server/http_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <charconv>

#include "server/connection.h"
#include "server/unix_address.h"

namespace cutd {

namespace asio = boost::asio;
using server_detail::Connection;
using server_detail::Shared;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kTick{100};

// Whether the peer is a process of our own user.
bool is_own_user(Unix::socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

// Tells a client why it is not served, without waiting for it.
template <typename Socket>
void turn_away(Socket& socket, const Reply& reply) {
  const std::string text = reply_text(reply, false);
  ::send(socket.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

template <typename Protocol>
asio::awaitable<void> serve(typename Protocol::socket socket, std::string peer, Shared& shared) {
  Connection<Protocol> connection(std::move(socket), peer, shared);
  co_await connection.run();
}

}  // namespace

void ServerCounters::count(int status, std::chrono::nanoseconds duration) {
  ++replies[static_cast<std::size_t>(status / 100) % replies.size()];
  const double seconds = std::chrono::duration<double>(duration).count();
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  ++took[bucket];
  nanoseconds += static_cast<std::uint64_t>(duration.count());
}

TcpAddress parse_tcp_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  TcpAddress address;
  address.host = colon == std::string::npos ? "" : text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host == "localhost") address.host = "127.0.0.1";
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.host, error);
  const char* end = text.data() + text.size();
  const char* digits = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto [rest, failure] = std::from_chars(digits, end, address.port);
  if (error || failure != std::errc() || rest != end) {
    throw Error(ErrorCode::kUsage,
                "an address to listen on is like 127.0.0.1:8080 or [::1]:8080, not \"" + text + "\"");
  }
  address.loopback = ip.is_loopback();
  return address;
}

class HttpServer::Impl {
 public:
  Impl(Handler handler, const ServerLimits& limits, Logger& logger)
      : shared_(std::move(handler), limits, logger, counters_),
        unix_(context_),
        tcp_(context_),
        pause_(context_),
        tick_(context_),
        drain_(context_) {}

  ~Impl() { remove_socket(); }

  void listen_unix(const std::filesystem::path& path) {
    const UnixAddress address(path);
    try {
      std::filesystem::remove(path);
      unix_.open();
      unix_.bind(Unix::endpoint(address.name()));
      path_ = path;
      // Connecting is impossible before listen(), so nobody slips in under the old mode.
      if (::chmod(path.c_str(), 0600) != 0) throw_errno("cannot set the mode of " + path.string());
      unix_.listen();
    } catch (const boost::system::system_error& error) {
      throw Error(ErrorCode::kIo, "cannot listen on " + path.string() + ": " + error.code().message());
    }
    asio::co_spawn(context_, accept_connections(unix_), asio::detached);
  }

  std::uint16_t listen_tcp(const std::string& text) {
    const TcpAddress address = parse_tcp_address(text);
    try {
      const Tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
      tcp_.open(endpoint.protocol());
      tcp_.set_option(Tcp::acceptor::reuse_address(true));
      tcp_.bind(endpoint);
      tcp_.listen();
    } catch (const boost::system::system_error& error) {
      throw Error(ErrorCode::kIo,
                  "cannot listen on " + text + ": " + error.code().message() + "; --listen names another address");
    }
    asio::co_spawn(context_, accept_connections(tcp_), asio::detached);
    return tcp_.local_endpoint().port();
  }

  void run() {
    asio::co_spawn(context_, tick(), asio::detached);
    context_.run();
    shared_.pool.join();
    remove_socket();
  }

  void stop() {
    asio::post(context_, [this] { begin_drain(); });
  }

  const ServerCounters& counters() const { return counters_; }

 private:
  static constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

  template <typename Acceptor>
  asio::awaitable<void> accept_connections(Acceptor& acceptor) {
    while (!shared_.stopping) {
      auto [error, socket] = co_await acceptor.async_accept(kToken);
      if (shared_.stopping || error == asio::error::operation_aborted) co_return;
      if (error) {  // out of descriptors, most likely: others will be closed soon
        shared_.logger.warning("cannot accept a connection: " + error.message());
        pause_.expires_after(std::chrono::milliseconds(100));
        co_await pause_.async_wait(kToken);
        continue;
      }
      admit(std::move(socket));
    }
  }

  void admit(Unix::socket socket) {
    if (!is_own_user(socket)) {
      refuse(socket, 403, "this socket serves the daemon's own user", "forbidden");
    } else if (has_room(socket)) {
      start<Unix>(std::move(socket), "");
    }
  }

  void admit(Tcp::socket socket) {
    boost::system::error_code error;
    const auto address = socket.remote_endpoint(error).address();
    if (error) return;
    const bool counted = !shared_.limits.behind_proxy || !address.is_loopback();
    const auto found = shared_.open_by_address.find(address.to_string());
    if (counted && found != shared_.open_by_address.end() && found->second >= shared_.limits.max_per_address) {
      refuse(socket, 429, "too many connections from this address", "too_many");
      return;
    }
    if (!has_room(socket)) return;
    socket.set_option(Tcp::no_delay(true), error);
    start<Tcp>(std::move(socket), address.to_string());
  }

  // An evicted connection leaves the count only after this, when its coroutine has ended.
  template <typename Socket>
  bool has_room(Socket& socket) {
    constexpr bool kLocal = std::is_same_v<Socket, Unix::socket>;
    const std::size_t open = kLocal ? shared_.open_local : shared_.open - shared_.open_local;
    const std::size_t most = kLocal ? shared_.limits.max_local : shared_.limits.max_connections;
    if (open < most || make_room(kLocal)) return true;
    refuse(socket, 503, "too many connections", "unavailable");
    return false;
  }

  bool make_room(bool local) {
    if (!shared_.limits.evict || !shared_.evict(local)) return false;
    ++counters_.turned_away;
    return true;
  }

  template <typename Socket>
  void refuse(Socket& socket, int status, const char* why, const char* code) {
    ++counters_.turned_away;
    turn_away(socket, problem_reply(status, why, code));
  }

  template <typename Protocol>
  void start(typename Protocol::socket socket, std::string peer) {
    asio::co_spawn(context_, serve<Protocol>(std::move(socket), std::move(peer), shared_),
                   [this](std::exception_ptr failure) { ended(failure); });
  }

  void ended(std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      shared_.logger.error(std::string("a connection failed: ") + error.what());
    }
    if (shared_.stopping && shared_.open == 0) drain_.cancel();
  }

  // Shows that this thread makes progress.
  asio::awaitable<void> tick() {
    while (!shared_.stopping) {
      ++counters_.ticks;
      tick_.expires_after(kTick);
      co_await tick_.async_wait(kToken);
    }
  }

  void begin_drain() {
    if (shared_.stopping) return;
    shared_.stopping = true;
    boost::system::error_code ignored;
    unix_.close(ignored);
    tcp_.close(ignored);
    tick_.cancel();
    for (const auto& [when, waiting] : shared_.waiting) {
      if (waiting.idle) waiting.close();
    }
    if (shared_.open == 0) return;
    drain_.expires_after(std::chrono::milliseconds(shared_.limits.drain_ms));
    drain_.async_wait([this](const boost::system::error_code& error) {
      if (!error) context_.stop();  // the patience is over; otherwise everything ended by itself
    });
  }

  void remove_socket() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
    path_.clear();
  }

  ServerCounters counters_;
  Shared shared_;
  asio::io_context context_{1};
  Unix::acceptor unix_;
  Tcp::acceptor tcp_;
  asio::steady_timer pause_;  // of an acceptor that is out of descriptors
  asio::steady_timer tick_;
  asio::steady_timer drain_;
  std::filesystem::path path_;
};

HttpServer::HttpServer(Handler handler, const ServerLimits& limits, Logger& logger)
    : impl_(std::make_unique<Impl>(std::move(handler), limits, logger)) {}

HttpServer::~HttpServer() = default;

void HttpServer::listen_unix(const std::filesystem::path& path) { impl_->listen_unix(path); }
std::uint16_t HttpServer::listen_tcp(const std::string& address) { return impl_->listen_tcp(address); }
void HttpServer::run() { impl_->run(); }
void HttpServer::stop() { impl_->stop(); }
const ServerCounters& HttpServer::counters() const { return impl_->counters(); }

}  // namespace cutd
