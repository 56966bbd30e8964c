// HTTP/1.1 on a Unix socket, with limits and deadlines on everything a client can make long. One thread
// does all input and output; handlers run on a small pool of their own.
//
// What it refuses: chunked bodies (411: every client of ours knows its length), a header beyond its limit
// (431), a body beyond its limit (413, before it is read), anything that does not parse (400). Each is
// answered and the connection closed. Other users of the machine are turned away (SO_PEERCRED).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/log.h"
#include "server/http.h"

namespace cutd {

struct ServerLimits {
  std::size_t header_bytes = 8u << 10;
  std::size_t body_bytes = 256u << 10;
  std::int64_t header_ms = 10'000;   // from a request's first byte to the end of its header
  std::int64_t body_ms = 20'000;     // for the body
  std::int64_t write_ms = 30'000;    // for a reply, or one event
  std::int64_t idle_ms = 60'000;     // between two requests of one connection
  std::int64_t event_poll_ms = 200;  // how often an event stream is asked for news
  std::int64_t event_keep_alive_ms = 15'000;
  std::int64_t drain_ms = 5'000;     // for open requests after stop()
  std::size_t max_connections = 64;  // one more is answered 503
  std::size_t handler_threads = 3;
};

// Listening starts in the constructor of the caller's choice of listen_*(); serving in run().
class HttpServer {
 public:
  // `handler` is called on the pool's threads; `logger` must outlive the server.
  HttpServer(Handler handler, const ServerLimits& limits, Logger& logger);
  ~HttpServer();

  // Replaces a socket left behind at `path`: the caller holds the folder's lock, so nobody listens there.
  // Mode 0600. Throws Error(kIo) naming the path.
  void listen_unix(const std::filesystem::path& path);

  // Serves until stop(), then lets open requests finish for drain_ms and removes the socket.
  void run();

  // Thread-safe.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutd
