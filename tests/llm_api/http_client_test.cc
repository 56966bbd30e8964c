#include "llm_api/http_client.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "llm_api/http_support.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HttpClientTest, BringsWholeRepliesInEveryFraming) {
  FakeReply reply;
  reply.status = 201;
  reply.body = std::string(5'000, 'x') + "end";
  reply.headers = {{"X-Request-Id", "r-1"}};
  FakeLlmServer server([&](const FakeRequest&) { return reply; });
  for (const Framing framing : {Framing::kLength, Framing::kChunked, Framing::kUntilClose}) {
    for (const bool gzip : {false, true}) {
      reply.framing = framing;
      reply.gzip = gzip;
      const auto outcome = exchange(local_http(), post_to(server.url()));
      ASSERT_EQ(in_short(outcome), "reply 201");
      EXPECT_EQ(std::get<HttpReply>(outcome).body, reply.body);
      EXPECT_EQ(std::get<HttpReply>(outcome).header("x-request-id"), "r-1");
    }
  }
}

TEST(HttpClientTest, SendsWhatItWasGiven) {
  FakeRequest seen;
  FakeLlmServer server([&](const FakeRequest& request) { return seen = request, FakeReply{}; });
  exchange(local_http(), post_to(server.url("/v1/x?a=b"), "body"));
  EXPECT_EQ(seen.method + " " + seen.path + " " + seen.body, "POST /v1/x?a=b body");
  EXPECT_EQ(seen.headers["authorization"], "Bearer canary-key");
  exchange(local_http(), HttpRequest{false, server.url("/v1/models"), {}, ""});
  EXPECT_EQ(seen.method + " " + seen.path, "GET /v1/models");
}

// --- P3: one submission is at most one request ---------------------------------------------------

// Answers the first request of the server's life, then charges and closes without a byte.
FakeReply answers_once(const FakeRequest& request) {
  FakeReply reply = json_text("{}");
  reply.drop = request.number > 1;
  return reply;
}

TEST(HttpClientTest, NeverSendsARequestAgain) {
  FakeLlmServer server(answers_once);
  HttpClient client(local_http());
  EXPECT_EQ(in_short(exchange(client, post_to(server.url()))), "reply 200");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(in_short(exchange(client, post_to(server.url()))), "interrupted, maybe sent");
  EXPECT_EQ(server.counts().hits, 21);
  EXPECT_EQ(server.counts().charged(), 21);
  EXPECT_EQ(server.counts().connections, 21);
}

// Why every request has its own connection: the negative control of the test above.
TEST(HttpClientTest, LibcurlSendsAgainOnConnectionsThatAreReused) {
  FakeLlmServer server(answers_once);
  CURL* curl = ::curl_easy_init();
  const std::string url = server.url();
  ::curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{}");
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION, +[](char*, std::size_t size, std::size_t count, void*) { return size * count; });
  ::curl_easy_perform(curl);
  ::curl_easy_perform(curl);
  ::curl_easy_cleanup(curl);
  EXPECT_GT(server.counts().hits, 2);
}

TEST(HttpClientTest, DoesNotSendAgainAfterExpectationFailed) {
  FakeLlmServer server([](const FakeRequest&) {
    FakeReply reply = json_text("{}");
    reply.status = 417;
    return reply;
  });
  EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url(), std::string(2'000'000, ' ')))), "reply 417");
  EXPECT_EQ(server.counts().hits, 1);
}

// --- P16, transport: a cut reply is never a reply ------------------------------------------------

class CutReply : public ::testing::TestWithParam<std::tuple<Framing, bool>> {};

TEST_P(CutReply, IsNeverAWholeReply) {
  FakeReply reply = json_text(R"({"choices":[{"message":{"content":"Perfect."},"finish_reason":"stop"}]})");
  reply.framing = std::get<0>(GetParam());
  reply.gzip = std::get<1>(GetParam());
  FakeLlmServer server([&](const FakeRequest& request) {
    FakeReply one = reply;
    one.cut_at = std::stoul(request.path.substr(1));
    return one;
  });
  HttpClient client(local_http());
  const std::size_t size = fake_wire(reply).size();
  std::vector<std::string> outcomes(size + 1);
  for (std::size_t k = 0; k <= size; ++k) {
    client.submit(post_to(server.url("/" + std::to_string(k))),
                  [&outcomes, k](const HttpOutcome& outcome) { outcomes[k] = in_short(outcome); });
  }
  run_until_idle(client);
  // After the carriage return of the last chunk's line every byte of the reply is there; the line feed adds none.
  const std::size_t whole = size - (reply.framing == Framing::kChunked ? 1 : 0);
  for (std::size_t k = 0; k < whole; ++k) EXPECT_THAT(outcomes[k], HasSubstr("maybe sent")) << "cut at " << k;
  for (std::size_t k = whole; k <= size; ++k) EXPECT_EQ(outcomes[k], "reply 200");
}

INSTANTIATE_TEST_SUITE_P(HttpClientTest, CutReply,
                         ::testing::Values(std::tuple{Framing::kLength, false}, std::tuple{Framing::kLength, true},
                                           std::tuple{Framing::kChunked, false}, std::tuple{Framing::kChunked, true}),
                         [](const auto& manner) {
                           return std::string(std::get<0>(manner.param) == Framing::kLength ? "length" : "chunked") +
                                  (std::get<1>(manner.param) ? "_gzip" : "_plain");
                         });

TEST(HttpClientTest, SeesAGzipStreamCutByTheServerItself) {
  const std::string whole = gzip_bytes("{\"text\":\"Perfect.\"}");
  FakeLlmServer server([&](const FakeRequest& request) {
    FakeReply reply = json_text(whole.substr(0, std::stoul(request.path.substr(1))));
    reply.headers = {{"Content-Encoding", "gzip"}};
    return reply;
  });
  for (std::size_t k = 1; k < whole.size(); ++k) {
    EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url("/" + std::to_string(k))))), "garbled, maybe sent")
        << k;
  }
  EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url("/9999")))), "reply 200");
}

TEST(HttpClientTest, RefusesWhatIsNotTheHttpItUnderstands) {
  std::string broken = gzip_bytes("{}");
  broken[broken.size() - 5] = static_cast<char>(broken[broken.size() - 5] ^ 1);  // in the checksum
  const std::vector<std::pair<std::string, std::string>> replies = {
      {"HTTP/0.9", "{\"text\":\"Perfect.\"}"},
      {"unknown coding", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"},
      {"coded twice",
       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"},
      {"not gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"},
      {"bad checksum", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + broken},
      {"bytes after gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip_bytes("{}") + "x"},
      {"bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"},
      {"length too long", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"},
      {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}"},
      {"two lengths, the last one right", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 2\r\n\r\n{}"},
  };
  for (const auto& [name, bytes] : replies) {
    FakeLlmServer server([raw = bytes](const FakeRequest&) {
      FakeReply reply;
      reply.raw = raw;
      return reply;
    });
    const auto outcome = exchange(local_http(), post_to(server.url()));
    EXPECT_THAT(in_short(outcome), HasSubstr("maybe sent")) << name;
    EXPECT_EQ(server.counts().hits, 1) << name;
  }
}

// --- use from programs -----------------------------------------------------------------------------

TEST(HttpClientTest, TakesSubmissionsFromManyThreadsWhileItWorks) {
  FakeLlmServer server([](const FakeRequest& request) { return json_text(request.body); });
  HttpClient client(local_http());
  std::atomic<int> wrong{0};
  int done = 0;
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string body = std::to_string(t * kEach + i);
        client.submit(post_to(server.url(), body), [&, body](const HttpOutcome& outcome) {
          ++done;
          const auto* reply = std::get_if<HttpReply>(&outcome);
          if (reply == nullptr || reply->body != body) ++wrong;
        });
      }
    });
  }
  while (done < kThreads * kEach) client.step(10'000);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(server.counts().hits, kThreads * kEach);
}

TEST(HttpClientTest, WakesUpForASubmission) {
  FakeLlmServer server([](const FakeRequest&) { return json_text("{}"); });
  HttpClient client(local_http());
  bool done = false;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    client.submit(post_to(server.url()), [&](const HttpOutcome&) { done = true; });
  });
  const auto start = std::chrono::steady_clock::now();
  while (!done) client.step(30'000);
  other.join();
  EXPECT_LT(millis_since(start), 10'000);
}

TEST(HttpClientTest, CancelsWhatIsUnderWayAndWhatWaits) {
  FakeLlmServer server([](const FakeRequest&) {
    FakeReply reply;
    reply.never = true;
    return reply;
  });
  HttpClientOptions options = local_http();
  options.max_in_flight = 1;
  HttpClient client(options);
  std::vector<std::string> outcomes;
  for (int i = 0; i < 3; ++i)
    client.submit(post_to(server.url()), [&](const HttpOutcome& outcome) { outcomes.push_back(in_short(outcome)); });
  while (server.counts().hits == 0) client.step(10);
  client.cancel_all();
  client.step(0);
  EXPECT_THAT(outcomes, ::testing::ElementsAre("cancelled, maybe sent", "cancelled, not sent", "cancelled, not sent"));
  EXPECT_EQ(client.open(), 0U);
}

TEST(HttpClientTest, KeepsTheOtherReportsWhenOneThrows) {
  HttpClient client(local_http());
  int reports = 0;
  for (int i = 0; i < 3; ++i) {
    client.submit(post_to("nonsense"), [&](const HttpOutcome&) {
      if (++reports == 1) throw std::runtime_error("no");
    });
  }
  EXPECT_THROW(client.step(0), std::runtime_error);
  run_until_idle(client);
  EXPECT_EQ(reports, 3);
}

TEST(HttpClientTest, RefusesHeadersThatCouldHideOthersAndKeepsTheirValuesToItself) {
  HttpRequest request = post_to("https://api.example.com");
  request.headers = {{"Authorization", "Bearer canary-key\r\nX-Other: 1"}};
  const auto outcome = exchange(local_http(), request);
  ASSERT_EQ(in_short(outcome), "refused, not sent");
  EXPECT_THAT(std::get<HttpFailure>(outcome).message, HasSubstr("Authorization"));
  EXPECT_THAT(std::get<HttpFailure>(outcome).message, Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace cutd
