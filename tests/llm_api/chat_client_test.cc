#include "llm_api/chat_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "llm_api/http_support.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A ledger in memory: what was admitted, what came back.
class RecordingSink : public ChatSink {
 public:
  std::vector<bool> before_send(std::span<const ChatAttempt> attempts) override {
    std::vector<bool> answers;
    for (const ChatAttempt& attempt : attempts) {
      answers.push_back(admitted < cap);
      if (answers.back()) {
        ++admitted;
        if (!rows.insert({attempt.request, attempt.number}).second) ++repeated_rows;
      }
    }
    return answers;
  }
  void after_reply(ChatAttempt, const HttpReply& reply, const std::optional<ChatUsage>& usage) override {
    ++replies;
    seen += reply.body;
    if (usage) used += usage->input_tokens + usage->output_tokens;
  }
  void after_failure(ChatAttempt, const ApiFailure& failure) override {
    seen += failure.message;
    failures.push_back(failure_class_name(failure.what));
  }
  bool may_resend(ChatAttempt) override { return resend; }
  void finished(std::int64_t request, const ChatResult& result) override {
    ++ends[request];
    if (const auto* reply = std::get_if<ChatReply>(&result)) texts[request] = reply->text;
    if (const auto* failure = std::get_if<ApiFailure>(&result)) {
      gave_up[request] = failure_class_name(failure->what);
      seen += failure->message;
    }
    if (std::holds_alternative<ChatCapped>(result)) ++capped;
    if (on_end) on_end();
  }

  std::int64_t cap = 1'000'000;
  bool resend = false;
  std::function<void()> on_end;
  std::int64_t admitted = 0, repeated_rows = 0, replies = 0, used = 0, capped = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> rows;
  std::vector<std::string> failures;
  std::map<std::int64_t, int> ends;
  std::map<std::int64_t, std::string> texts, gave_up;
  std::string seen;
};

class ChatClientTest : public ::testing::Test {
 protected:
  void serve(const std::string& script) { server_.emplace(scripted_api(parse_json(script, "script"))); }

  std::optional<ApiFailure> judge(int count, std::stop_token stop = {}) {
    options_.endpoint.base_url = server_->url();
    options_.endpoint.key = "canary-key";
    options_.http = local_http();
    options_.http.first_byte_ms = first_byte_ms_;
    ChatClient client(options_, clock_);
    for (int i = 0; i < count; ++i) {
      ChatRequest chat;
      chat.model = "judge-1";
      chat.messages = {{"user", "Judge item " + std::to_string(i)}};
      client.submit(i, chat);
    }
    return client.run(stop, sink_);
  }

  void use_quick_retries() {
    options_.retry.first_ms = 1;
    options_.retry.cap_ms = 4;
    options_.retry.park_ms = 5;
    options_.retry.park_cap_ms = 20;
  }

  void expect_one_hit_per_row() {
    EXPECT_EQ(server_->counts().hits, sink_.admitted);
    EXPECT_EQ(sink_.repeated_rows, 0);
  }

  SystemClock clock_;
  ChatClientOptions options_;
  std::int64_t first_byte_ms_ = 10'000;
  RecordingSink sink_;
  std::optional<FakeLlmServer> server_;
};

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

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// P20, and how fast it goes: 256 in flight at 200 ms. The double's sockets are in the same process.
TEST_F(ChatClientTest, Keeps256InFlightCheaply) {
  serve(R"({"latency_ms":200})");
  options_.start_concurrency = 256;
  std::size_t most_descriptors = 0;
  sink_.on_end = [&] {
    most_descriptors = std::max(most_descriptors, sink_.ends.size() % 64 == 0 ? open_descriptors() : 0);
  };
  constexpr int kRequests = 2'000;
  const auto start = std::chrono::steady_clock::now();
  judge(kRequests);
  const double seconds = static_cast<double>(millis_since(start)) / 1e3;
  EXPECT_EQ(sink_.texts.size(), static_cast<std::size_t>(kRequests));
  EXPECT_LE(most_descriptors, 2 * 512U);  // client and server together
  RecordProperty("judgments_per_second", static_cast<int>(kRequests / seconds));
  std::printf("%.0f judgments/s, %zu descriptors (both ends)\n", kRequests / seconds, most_descriptors);
}

}  // namespace
}  // namespace cutd
