#include "support/fake_llm/fake_llm_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/unique_fd.h"

namespace cutd {
namespace {

using SteadyClock = std::chrono::steady_clock;

}  // namespace

std::int64_t FakeCounts::charged() const {
  std::int64_t sum = 0;
  for (const auto& [id, count] : charges) sum += count;
  return sum;
}

class FakeLlmServer::Impl {
 public:
  Impl(FakeHandler handler, int port)
      : handler_(std::move(handler)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        stop_(::eventfd(0, EFD_CLOEXEC)) {
    const int on = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 1024) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
      throw_errno("cannot listen on 127.0.0.1:" + std::to_string(port));
    }
    port_ = ntohs(address.sin_port);
    watch(EPOLL_CTL_ADD, listener_.get(), EPOLLIN);
    watch(EPOLL_CTL_ADD, stop_.get(), EPOLLIN);
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    stopping_ = true;
    const std::uint64_t one = 1;
    const ssize_t ignored = ::write(stop_.get(), &one, sizeof one);
    static_cast<void>(ignored);
    thread_.join();
  }

  int port() const { return port_; }
  FakeCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  std::int64_t hits() const {
    const std::lock_guard lock(mutex_);
    return counts_.hits;
  }
  pid_t fork() const {
    const std::lock_guard lock(moving_);
    return ::fork();
  }

 private:
  struct Connection {
    UniqueFd socket;
    std::int64_t id = 0;
    std::string input;
    std::int64_t requests = 0;
    // The reply under way.
    bool replying = false;
    bool started = false;  // its delay is over
    std::string output;
    std::size_t sent = 0;
    std::string again;  // a body that is still to be repeated
    std::size_t repeats = 0;
    std::int64_t drip_ms = 0;
    bool close_after = false;
    bool waits_for_writable = false;
  };

  void watch(int operation, int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  void run() {
    std::array<epoll_event, 128> events;
    while (!stopping_) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms());
      const std::lock_guard lock(moving_);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_.get()) accept_all();
        else if (event.data.fd != stop_.get()) serve(event.data.fd);
      }
      run_timers();
    }
  }

  int wait_ms() const {
    if (timers_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - SteadyClock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }

  void run_timers() {
    const auto now = SteadyClock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      const auto [fd, id] = timers_.begin()->second;
      timers_.erase(timers_.begin());
      const auto at = connections_.find(fd);
      if (at == connections_.end() || at->second.id != id) continue;
      at->second.started = true;
      write_some(at->second);
    }
  }

  void accept_all() {
    for (;;) {
      UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) return;
      const int fd = socket.get();
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      Connection connection;
      connection.socket = std::move(socket);
      connection.id = ++last_connection_;
      connections_.insert_or_assign(fd, std::move(connection));
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
      const std::lock_guard lock(mutex_);
      ++counts_.connections;
    }
  }

  void serve(int fd) {
    const auto at = connections_.find(fd);
    if (at == connections_.end()) return;
    Connection& connection = at->second;
    if (connection.waits_for_writable && connection.started) return write_some(connection);
    std::array<char, 16384> block;
    const ssize_t count = ::recv(fd, block.data(), block.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return close(connection);
    if (count < 0) return;
    connection.input.append(block.data(), static_cast<std::size_t>(count));
    answer_next(connection);
  }

  void answer_next(Connection& connection) {
    if (connection.replying) return;
    std::optional<FakeRequest> request;
    try {
      request = take_request(connection.input);
    } catch (const std::exception&) {
      return close(connection);
    }
    if (!request) return;
    if (request->path == "/_double") return begin(connection, counts_reply());
    request->on_connection = ++connection.requests;
    number(*request);
    const FakeReply reply = handler_(*request);
    {
      const std::lock_guard lock(mutex_);
      if (reply.charged) ++counts_.charges[request->logical_id];
      for (const std::string& item : reply.charged_items) ++counts_.charges[item];
    }
    begin(connection, reply);
  }

  FakeReply counts_reply() const {
    const FakeCounts now = counts();
    FakeReply reply;
    reply.body = to_json_text({{"hits", now.hits},
                               {"connections", now.connections},
                               {"charged", now.charged()},
                               {"charges", Json(now.charges)}});
    return reply;
  }

  void number(FakeRequest& request) {
    request.logical_id = sha256_hex(request.body).substr(0, 16);
    request.try_number = ++tries_[request.logical_id];
    const std::lock_guard lock(mutex_);
    request.number = ++counts_.hits;
  }

  void begin(Connection& connection, const FakeReply& reply) {
    connection.replying = true;
    connection.started = false;
    if (reply.never) return;
    connection.output = reply.drop ? "" : fake_wire(reply);
    connection.close_after =
        reply.drop || reply.close || reply.cut_at || reply.framing == Framing::kUntilClose || !reply.raw.empty();
    if (reply.cut_at) connection.output.resize(std::min(connection.output.size(), *reply.cut_at));
    connection.sent = 0;
    connection.repeats = reply.repeat - 1;
    connection.again = connection.repeats > 0 ? reply.body : "";
    connection.drip_ms = reply.drip_ms;
    if (reply.delay_ms > 0) return wake_later(connection, reply.delay_ms);
    connection.started = true;
    write_some(connection);
  }

  void wake_later(const Connection& connection, std::int64_t milliseconds) {
    timers_.emplace(SteadyClock::now() + std::chrono::milliseconds(milliseconds),
                    std::make_pair(connection.socket.get(), connection.id));
  }

  void write_some(Connection& connection) {
    const int fd = connection.socket.get();
    while (connection.sent < connection.output.size()) {
      const std::size_t most = connection.drip_ms > 0 ? 1 : connection.output.size() - connection.sent;
      const ssize_t count = ::send(fd, connection.output.data() + connection.sent, most, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) return wait_for_writable(connection, true);
      if (count < 0) return close(connection);
      connection.sent += static_cast<std::size_t>(count);
      if (connection.drip_ms > 0) return wake_later(connection, connection.drip_ms);
      if (connection.sent == connection.output.size() && connection.repeats > 0) {
        --connection.repeats;
        connection.output = connection.again;
        connection.sent = 0;
      }
    }
    if (connection.close_after) return close(connection);
    connection.replying = false;
    wait_for_writable(connection, false);
    answer_next(connection);
  }

  void wait_for_writable(Connection& connection, bool on) const {
    if (connection.waits_for_writable == on) return;
    connection.waits_for_writable = on;
    watch(EPOLL_CTL_MOD, connection.socket.get(), on ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void close(const Connection& connection) { connections_.erase(connection.socket.get()); }

  const FakeHandler handler_;
  UniqueFd listener_;
  UniqueFd epoll_;
  UniqueFd stop_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};

  // Owned by the server's thread.
  std::int64_t last_connection_ = 0;
  std::map<int, Connection> connections_;
  std::multimap<SteadyClock::time_point, std::pair<int, std::int64_t>> timers_;
  std::map<std::string, std::int64_t> tries_;

  mutable std::mutex moving_;  // held by the server's thread whenever it does anything but wait
  mutable std::mutex mutex_;
  FakeCounts counts_;  // guarded by mutex_

  std::thread thread_;
};

FakeLlmServer::FakeLlmServer(FakeHandler handler, int port) : impl_(std::make_unique<Impl>(std::move(handler), port)) {}
FakeLlmServer::~FakeLlmServer() = default;

int FakeLlmServer::port() const { return impl_->port(); }
std::string FakeLlmServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port()) + path;
}
FakeCounts FakeLlmServer::counts() const { return impl_->counts(); }
std::int64_t FakeLlmServer::hits() const { return impl_->hits(); }
pid_t FakeLlmServer::fork() const { return impl_->fork(); }

}  // namespace cutd
