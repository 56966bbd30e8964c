// Time and size: what a slow or endless server can cost (reliability P16, P18, P20).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "llm_api/http_support.h"

namespace cutd {
namespace {

std::int64_t most_resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    std::int64_t value = 0;
    status >> value;
    return value;
  }
  return 0;
}

FakeHandler always(const FakeReply& reply) {
  return [reply](const FakeRequest&) { return reply; };
}

TEST(HttpLimitsTest, StopsReadingAnEndlessBody) {
  FakeReply reply = json_text(std::string(1U << 20, ' '));
  reply.repeat = 1024;  // 1 GiB
  FakeLlmServer server(always(reply));
  const std::int64_t before = most_resident_kib();
  EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url()))), "too_large, maybe sent");
  EXPECT_LT(most_resident_kib() - before, 64 * 1024);
}

TEST(HttpLimitsTest, StopsUnpackingABomb) {
  FakeReply reply = json_text(gzip_bytes(std::string(1U << 20, ' '), 512));
  reply.headers = {{"Content-Encoding", "gzip"}};
  ASSERT_LT(reply.body.size(), 1U << 20);
  FakeLlmServer server(always(reply));
  const std::int64_t before = most_resident_kib();
  EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url()))), "too_large, maybe sent");
  EXPECT_LT(most_resident_kib() - before, 64 * 1024);
}

std::string came_of(const FakeReply& reply, std::size_t limit = 4U << 20) {
  FakeLlmServer server(always(reply));
  HttpClientOptions options = local_http();
  options.max_reply_bytes = limit;
  const HttpOutcome outcome = exchange(options, post_to(server.url()));
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure == nullptr ? "a whole reply" : failure->body;
}

// P16: a person can see what came of a reply that is none.
TEST(HttpLimitsTest, KeepsWhatCameOfAReplyThatBrokeOff) {
  FakeReply reply = json_text("{\"it begins\": \"and ends\"}");
  for (const bool gzip : {false, true}) {
    reply.gzip = gzip;
    const std::size_t whole = fake_wire(reply).size();
    reply.cut_at = gzip ? whole - 4 : whole - 6;  // of gzip only the checksum is missing
    EXPECT_TRUE(came_of(reply).starts_with("{\"it begins\": \"and")) << gzip;
    reply.cut_at.reset();
  }
}

TEST(HttpLimitsTest, KeepsNoMoreOfAReplyThatIsTooLargeThanOfAWholeOne) {
  FakeReply reply = json_text(std::string(300'000, 'x'));
  for (const bool gzip : {false, true}) {
    reply.gzip = gzip;
    const std::string came = came_of(reply, 100'000);
    EXPECT_THAT(came, testing::Not(testing::IsEmpty())) << gzip;
    EXPECT_LE(came.size(), 100'000U) << gzip;
    EXPECT_EQ(came, std::string(came.size(), 'x')) << gzip;
  }
}

TEST(HttpLimitsTest, KeepsBytesThatCannotBeUnpackedAsTheyCame) {
  FakeReply reply = json_text("this is no gzip");
  reply.headers = {{"Content-Encoding", "gzip"}};
  EXPECT_EQ(came_of(reply), "this is no gzip");
  reply.headers = {{"Content-Encoding", "br"}};
  EXPECT_EQ(came_of(reply), "this is no gzip");
}

TEST(HttpLimitsTest, TakesABodyOfExactlyTheLimit) {
  HttpClientOptions options = local_http();
  options.max_reply_bytes = 100'000;
  FakeReply reply = json_text(std::string(100'000, ' '));
  for (const bool gzip : {false, true}) {
    reply.gzip = gzip;
    FakeLlmServer server(always(reply));
    EXPECT_EQ(in_short(exchange(options, post_to(server.url()))), "reply 200");
    options.max_reply_bytes = 99'999;
    EXPECT_EQ(in_short(exchange(options, post_to(server.url()))), "too_large, maybe sent");
    options.max_reply_bytes = 100'000;
  }
}

TEST(HttpLimitsTest, StopsReadingAnEndlessHead) {
  FakeReply reply;
  for (int i = 0; i < 100; ++i) reply.headers.emplace_back("X-" + std::to_string(i), std::string(1'000, 'x'));
  FakeLlmServer server(always(reply));
  EXPECT_EQ(in_short(exchange(local_http(), post_to(server.url()))), "too_large, maybe sent");
}

TEST(HttpLimitsTest, GivesUpOnAServerThatNeverAnswers) {
  FakeReply reply;
  reply.never = true;
  FakeLlmServer server(always(reply));
  HttpClientOptions options = local_http();
  options.first_byte_ms = 150;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(in_short(exchange(options, post_to(server.url()))), "timeout, maybe sent");
  EXPECT_GE(millis_since(start), 150);
  EXPECT_LT(millis_since(start), 5'000);
}

TEST(HttpLimitsTest, GivesUpOnAServerThatDrips) {
  FakeReply reply = json_text("{}");
  reply.drip_ms = 20;
  FakeLlmServer server(always(reply));
  HttpClientOptions options = local_http();
  options.first_byte_ms = 10'000;
  options.total_ms = 300;
  EXPECT_EQ(in_short(exchange(options, post_to(server.url()))), "timeout, maybe sent");
}

TEST(HttpLimitsTest, GivesUpOnAHandshakeThatStands) {
  FakeLlmServer server(always({}));  // waits for the end of a request head that TLS never sends
  HttpClientOptions options = local_http();
  options.connect_ms = 150;
  EXPECT_EQ(in_short(exchange(options, post_to("https://127.0.0.1:" + std::to_string(server.port())))),
            "connect, not sent");
}

TEST(HttpLimitsTest, DoesNotCountWaitingForAPlaceAsSending) {
  FakeReply reply = json_text("{}");
  reply.delay_ms = 150;
  FakeLlmServer server(always(reply));
  HttpClientOptions options = local_http();
  options.max_in_flight = 1;
  options.first_byte_ms = 900;
  options.total_ms = 900;
  HttpClient client(options);
  int whole = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) {
    client.submit(post_to(server.url()), [&](const HttpOutcome& outcome) {
      if (const auto* done = std::get_if<HttpReply>(&outcome)) whole += done->elapsed_ms < 900 ? 1 : 0;
    });
  }
  run_until_idle(client);
  EXPECT_GE(millis_since(start), 8 * 150);  // the last ones waited longer than their whole deadline
  EXPECT_EQ(whole, 8);
}

}  // namespace
}  // namespace cutd
