// Many HTTP requests in flight from one thread (libcurl multi), made for requests that cost money: one submitted
// request is at most one request on the wire. Every request has a connection of its own, because libcurl re-sends
// by itself what it had sent on a reused connection that died (reliability, finding 2). HTTP/1.1, TLS verified,
// no redirects, cookies, netrc or environment proxies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llm_api/http.h"

namespace cutd {

struct HttpClientOptions {
  std::size_t max_in_flight = 256;
  // All three count from when sending begins, which for a request that waits for a free place is later than submit().
  std::int64_t connect_ms = 5'000;
  std::int64_t first_byte_ms = 120'000;
  std::int64_t total_ms = 180'000;
  std::size_t max_reply_bytes = 4U << 20;  // after unpacking
  std::size_t max_header_bytes = 64U << 10;
  bool allow_http = false;
  std::vector<std::string> allow_private;  // address ranges, see address_guard.h
  std::string proxy;                       // "http://host:port"; empty: none, whatever the environment says
  std::string ca_file;                     // empty: the system's
  std::vector<std::string> resolve;        // "host:port:address" instead of asking DNS
};

class HttpClient {
 public:
  using Done = std::function<void(HttpOutcome)>;

  // Error(kUsage) for an unusable option.
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();  // drops what is in flight without a report
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any thread. `done` is called exactly once, inside step(), and may submit.
  void submit(HttpRequest request, Done done);
  // Any thread: ends the wait of a step() under way, or of the next one.
  void wake();

  // One thread at a time: starts what was submitted, waits up to `wait_ms` for news and reports what ended.
  // Returns after the first report. What `done` throws passes through; other reports stay for the next step.
  void step(std::int64_t wait_ms);
  // The thread of step(): everything that has not ended ends as kCancelled, reported by the next step().
  void cancel_all();

  // The thread of step(). Submitted and not reported; of these, those that have a connection.
  std::size_t open() const;
  std::size_t in_flight() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutd
