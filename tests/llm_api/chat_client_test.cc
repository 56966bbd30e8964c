#include "llm_api/chat_client.h"

#include <algorithm>
#include <thread>

#include "llm_api/chat_client_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ChatClientTest, JudgesEverythingOnce) {
  serve("{}");
  EXPECT_FALSE(judge(100));
  EXPECT_EQ(sink_.texts.size(), 100U);
  for (const auto& [request, count] : sink_.ends) EXPECT_EQ(count, 1) << request;
  EXPECT_EQ(server_->counts().charged(), 100);
  EXPECT_GT(sink_.used, 0);
  expect_one_hit_per_row();
}

TEST_F(ChatClientTest, SpeaksAnthropicToo) {
  serve(R"({"api_key":"canary-key"})");
  options_.endpoint.format = WireFormat::kAnthropic;
  judge(5);
  EXPECT_EQ(sink_.texts.size(), 5U);
}

// The judgments are those of a healthy server, whatever happens on the way.
TEST_F(ChatClientTest, EndsWithTheSameJudgmentsInSpiteOfFaults) {
  serve("{}");
  judge(200);
  const auto healthy = sink_.texts;
  sink_ = {};
  serve(
      R"({"faults":[{"share":0.05,"status":429,"tries":2},{"share":0.05,"status":503,"tries":2},{"share":0.02,"drop":true,"tries":1},
                      {"share":0.1,"delay_ms":30},{"share":0.3,"gzip":true},{"share":0.3,"chunked":true}]})");
  use_quick_retries();
  sink_.resend = true;
  EXPECT_FALSE(judge(200));
  EXPECT_EQ(sink_.texts, healthy);
  EXPECT_GT(sink_.admitted, 200);
  expect_one_hit_per_row();
}

TEST_F(ChatClientTest, NeverResendsAnUnknownAttemptByItself) {
  serve(R"({"faults":[{"drop":true}]})");
  use_quick_retries();
  judge(10);
  EXPECT_EQ(sink_.admitted, 10);
  EXPECT_EQ(server_->counts().charged(), 10);
  EXPECT_EQ(std::count(sink_.failures.begin(), sink_.failures.end(), "unknown"), 10);
  EXPECT_EQ(sink_.gave_up[0], "unknown");
  expect_one_hit_per_row();
}

TEST_F(ChatClientTest, NeverRepeatsAPermanentFailure) {
  for (const char* status : {"400", "401", "403", "404", "413", "422", "307"}) {
    sink_ = {};
    serve(R"({"faults":[{"status":)" + std::string(status) + "}]}");
    judge(3);
    EXPECT_EQ(sink_.admitted, 3) << status;
    EXPECT_EQ(sink_.gave_up[0], "permanent") << status;
  }
}

TEST_F(ChatClientTest, PausesAtOnceWhenTheMoneyIsUsedUp) {
  serve(R"({"faults":[{"status":429,"error":{"message":"no credit","code":"insufficient_quota"}}]})");
  options_.start_concurrency = 4;
  const auto reason = judge(100);
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->what, FailureClass::kSpendLimit);
  EXPECT_THAT(reason->message, HasSubstr("add credit"));
  EXPECT_LE(sink_.admitted, 4);
  EXPECT_TRUE(sink_.ends.empty());  // all stay to be judged
}

TEST_F(ChatClientTest, SendsNothingThatTheSinkDoesNotAdmit) {
  serve("{}");
  sink_.cap = 7;
  judge(20);
  EXPECT_EQ(server_->counts().hits, 7);
  EXPECT_EQ(sink_.capped, 13);
}

TEST_F(ChatClientTest, KeepsAnEchoedKeyFromEverybody) {
  serve(R"({"api_key":"another-key"})");
  judge(1);
  EXPECT_THAT(sink_.seen, HasSubstr("Incorrect API key"));
  EXPECT_THAT(sink_.seen, Not(HasSubstr("canary")));
}

TEST_F(ChatClientTest, HandsOverWhatCameOfAReplyThatBrokeOffWithoutTheKey) {
  serve(R"({"text":"It says canary-key aloud.","faults":[{"cut":0.95}]})");
  judge(1);
  EXPECT_THAT(sink_.failures, ::testing::ElementsAre("unknown"));
  EXPECT_THAT(sink_.seen, HasSubstr("It says [key] aloud."));
  EXPECT_THAT(sink_.seen, Not(HasSubstr("canary")));
}

TEST_F(ChatClientTest, WaitsForRepliesUnderWayWhenStopped) {
  serve(R"({"latency_ms":150})");
  options_.start_concurrency = 5;
  std::stop_source source;
  std::thread stopper([&] {
    while (server_->counts().hits < 5) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    source.request_stop();
  });
  judge(50, source.get_token());
  stopper.join();
  EXPECT_EQ(sink_.admitted, sink_.replies);
  EXPECT_EQ(sink_.texts.size(), static_cast<std::size_t>(sink_.admitted));
  EXPECT_LT(sink_.admitted, 50);
}

TEST_F(ChatClientTest, ReportsWhatItCutsOffAsUnknown) {
  serve(R"({"faults":[{"never":true}]})");
  options_.start_concurrency = 3;
  options_.drain_ms = 50;
  std::stop_source source;
  std::thread stopper([&] {
    while (server_->counts().hits < 3) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    source.request_stop();
  });
  judge(10, source.get_token());
  stopper.join();
  EXPECT_THAT(sink_.failures, ::testing::ElementsAre("unknown", "unknown", "unknown"));
  EXPECT_TRUE(sink_.ends.empty());
}

TEST_F(ChatClientTest, StopsAskingASickServer) {
  serve(R"({"faults":[{"status":500}]})");
  use_quick_retries();
  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    source.request_stop();
  });
  judge(500, source.get_token());
  stopper.join();
  EXPECT_GE(server_->counts().hits, Circuit::kOpensAt);
  EXPECT_LE(server_->counts().hits, Circuit::kOpensAt + options_.start_concurrency);
  EXPECT_TRUE(sink_.ends.empty());
}

}  // namespace
}  // namespace cutd
