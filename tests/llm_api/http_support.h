// What the tests of HTTP share: options that reach the double, and one exchange at a time.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "llm_api/http_client.h"
#include "support/fake_llm/fake_llm_server.h"

namespace cutd {

inline HttpClientOptions local_http() {
  HttpClientOptions options;
  options.allow_http = true;
  options.allow_private = {"127.0.0.1"};
  options.connect_ms = 2'000;
  options.first_byte_ms = 10'000;
  options.total_ms = 20'000;
  return options;
}

inline HttpRequest post_to(const std::string& url, const std::string& body = R"({"model":"m"})") {
  return {true, url, {{"Content-Type", "application/json"}, {"Authorization", "Bearer canary-key"}}, body};
}

inline void run_until_idle(HttpClient& client) {
  while (client.open() > 0) client.step(1'000);
}

inline HttpOutcome exchange(HttpClient& client, HttpRequest request) {
  HttpOutcome result;
  client.submit(std::move(request), [&](HttpOutcome outcome) { result = std::move(outcome); });
  run_until_idle(client);
  return result;
}

inline HttpOutcome exchange(const HttpClientOptions& options, HttpRequest request) {
  HttpClient client(options);
  return exchange(client, std::move(request));
}

inline FakeReply json_text(const std::string& body) {
  FakeReply reply;
  reply.body = body;
  return reply;
}

// "reply 200" or "interrupted, maybe sent": an outcome in short, for comparing and for messages.
inline std::string in_short(const HttpOutcome& outcome) {
  if (const auto* reply = std::get_if<HttpReply>(&outcome)) return "reply " + std::to_string(reply->status);
  const auto& failure = std::get<HttpFailure>(outcome);
  return std::string(http_failure_name(failure.kind)) + (failure.maybe_sent ? ", maybe sent" : ", not sent");
}

inline std::int64_t millis_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace cutd
