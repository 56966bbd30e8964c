// HTTP/1.1 on a Unix socket and on TCP, with limits and deadlines on everything a client can make long. One
// thread does all input and output; handlers run on a small pool of their own.
//
// What it refuses: chunked bodies (411: every client of ours knows its length), a header beyond its limit
// (431), a body beyond its limit (413, before it is kept), anything that does not parse (400). Each is
// answered and the connection closed, after what the client still sends within linger_ms was read and forgotten. On
// the Unix socket other users of the machine are turned away (SO_PEERCRED); on TCP one address may hold so many
// connections and no more. When all connections are taken, the one that has waited longest for its client makes room,
// so that clients who hold connections without using them keep nobody out.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/log.h"
#include "server/http.h"

namespace cutd {

struct ServerLimits {
  std::size_t header_bytes = 8u << 10;
  std::size_t body_bytes = 256u << 10;
  std::int64_t header_ms = 10'000;   // from a request's first byte to the end of its header
  std::int64_t body_ms = 20'000;     // for the body
  std::int64_t write_ms = 30'000;    // for a reply, or one event
  std::int64_t linger_ms = 2'000;    // for what a refused client still sends, so that it can read why
  std::int64_t idle_ms = 60'000;     // between two requests of one connection
  std::int64_t event_poll_ms = 200;  // how often an event stream is asked for news
  std::int64_t event_keep_alive_ms = 15'000;
  std::int64_t drain_ms = 30'000;      // for open requests after stop()
  std::size_t max_connections = 1024;  // on TCP; for one more another is evicted, or it is answered 503
  std::size_t max_local = 256;         // on the Unix socket, as above: TCP's clients take none of these
  bool evict = true;                   // false: what came first stays, whatever it does (tests show why not)
  std::size_t max_per_address = 32;    // on TCP; one more is answered 429
  bool behind_proxy = false;           // loopback is a reverse proxy: its connections are not counted by address
  std::size_t handler_threads = 4;
};

// What was answered since the start. Thread-safe.
struct ServerCounters {
  static constexpr std::array<double, 8> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};  // seconds
  std::array<std::atomic<std::uint64_t>, 6> replies{};  // by the status' first digit
  std::array<std::atomic<std::uint64_t>, 9> took{};     // handlers' times, not cumulative; the last: longer
  std::atomic<std::uint64_t> nanoseconds{0};            // all of them together
  std::atomic<std::uint64_t> turned_away{0};            // connections
  std::atomic<std::int64_t> connections_open{0};
  std::atomic<std::uint64_t> ticks{0};  // of the I/O thread, about ten a second

  void count(int status, std::chrono::nanoseconds duration);
};

// An address as --listen takes it. Throws Error(kUsage).
struct TcpAddress {
  std::string host;  // an IP address
  std::uint16_t port = 0;
  bool loopback = false;
};
TcpAddress parse_tcp_address(const std::string& text);

// Listening starts in the constructor of the caller's choice of listen_*(); serving in run().
class HttpServer {
 public:
  // `handler` is called on the pool's threads; `logger` must outlive the server.
  HttpServer(Handler handler, const ServerLimits& limits, Logger& logger);
  ~HttpServer();

  // Replaces a socket left behind at `path`: the caller holds the folder's lock, so nobody listens there.
  // Mode 0600. Throws Error(kIo) naming the path.
  void listen_unix(const std::filesystem::path& path);

  // "127.0.0.1:8080", "[::1]:0"; returns the port it got. Throws Error: kUsage for an address that does not parse,
  // kIo naming it when it cannot be had.
  std::uint16_t listen_tcp(const std::string& address);

  // Serves until stop(), then lets open requests finish for drain_ms and removes the socket.
  void run();

  // Thread-safe.
  void stop();
  const ServerCounters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutd
