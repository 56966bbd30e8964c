// P17 to P20 through the whole client over real HTTP: what is sent again and when, what a sick server costs, rates, and
// hundreds in flight. Each with the control that shows what it would be otherwise.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/sanitized.h"
#include "llm_api/chat_client_fixture.h"

namespace cutd {
namespace {

class ChatClientLimitsTest : public ChatClientTest {
 protected:
  std::int64_t millis_of(int requests) {
    const auto start = std::chrono::steady_clock::now();
    judge(requests);
    return millis_since(start);
  }
  // The first answer to each request is `status` with one header.
  void serve_once(int status, const std::string& header = "", const std::string& value = "") {
    Json fault = {{"status", status}, {"tries", 1}};
    if (!header.empty()) fault["headers"] = {{header, value}};
    serve(Json{{"faults", {fault}}}.dump());
  }
};

// --- P17 ---------------------------------------------------------------------------------------------

TEST_F(ChatClientLimitsTest, SendsEachRetryableStatusAgain) {
  use_quick_retries();
  for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 529}) {
    sink_ = {};
    serve_once(status);
    judge(3);
    EXPECT_EQ(sink_.texts.size(), 3U) << status;
    EXPECT_EQ(sink_.admitted, 6) << status;
    expect_one_hit_per_row();
  }
}

TEST_F(ChatClientLimitsTest, WaitsAtLeastAsLongAsItIsAsked) {
  use_quick_retries();
  serve_once(503, "retry-after-ms", "400");
  EXPECT_GE(millis_of(1), 400);
  serve_once(429, "Retry-After", "1");
  EXPECT_GE(millis_of(1), 1000);
  for (const char* senseless : {"-5", "nan", "soon", "-1e308"}) {  // the control: no wait is no minimum
    serve_once(503, "Retry-After", senseless);
    EXPECT_LT(millis_of(1), 400) << senseless;
  }
}

TEST_F(ChatClientLimitsTest, PausesWhenAskedToWaitBeyondAnHour) {
  use_quick_retries();
  for (const char* value : {"3601", "1e308", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    serve_once(503, "Retry-After", value);
    EXPECT_TRUE(judge(1)) << value;
  }
  EXPECT_TRUE(sink_.ends.empty());
}

TEST_F(ChatClientLimitsTest, TriesAServerThatIsNotThereAndGivesUpWithoutACharge) {
  use_quick_retries();
  options_.retry.parks = 0;
  serve("{}");
  const std::string gone = server_->url();
  server_.reset();
  options_.endpoint.base_url = gone;
  options_.http = local_http();
  ChatClient client(options_, clock_);
  ChatRequest chat;
  chat.model = "judge-1";
  client.submit(1, chat);
  client.run({}, sink_);
  EXPECT_EQ(sink_.gave_up[1], "retryable");
  EXPECT_EQ(sink_.admitted, options_.retry.sends);
  EXPECT_EQ(std::count(sink_.failures.begin(), sink_.failures.end(), "retryable"), sink_.admitted);
}

// --- P18 ---------------------------------------------------------------------------------------------

TEST_F(ChatClientLimitsTest, RetriesAreATenthOfWhatIsSentThoughHalfOfItFails) {
  constexpr int kRequests = 400;
  serve(R"({"faults":[{"status":500,"share":0.5}]})");
  options_.retry.first_ms = 1;
  options_.retry.cap_ms = 4;
  options_.retry.park_ms = 600'000;  // what has no budget waits, and is not sent again in this test
  std::stop_source source;
  std::thread stopper([&] {
    std::int64_t hits = -1;
    while (hits < kRequests || hits != server_->counts().hits) {
      hits = server_->counts().hits;
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // longer than anything is held back
    }
    source.request_stop();
  });
  judge(kRequests, source.get_token());
  stopper.join();
  std::set<std::int64_t> failed_first;
  for (const auto& [request, number] : sink_.rows) {
    if (number > 1) failed_first.insert(request);
  }
  const std::int64_t retries = sink_.admitted - kRequests;
  EXPECT_GT(retries, 0);
  EXPECT_LE(retries, sink_.admitted / 10 + RetryBudget::kAlways);
  // The control: as many again wanted a retry and got none.
  const std::int64_t without_answer = kRequests - static_cast<std::int64_t>(sink_.texts.size());
  EXPECT_GT(without_answer, 2 * retries);
  EXPECT_LE(failed_first.size(), static_cast<std::size_t>(retries));
}

// --- P19 ---------------------------------------------------------------------------------------------

TEST_F(ChatClientLimitsTest, KeepsToItsRate) {
  serve("{}");
  const std::int64_t unlimited = millis_of(20);
  options_.rate.max_rpm = 1200;  // twenty a second
  const std::int64_t limited = millis_of(20);
  EXPECT_GE(limited, 19 * 50);
  EXPECT_LT(unlimited, 19 * 50);
}

// --- P20 ---------------------------------------------------------------------------------------------

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::int64_t resident_kib() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  statm >> pages >> pages;
  return pages * 4;
}

// 10,000 requests, 256 in flight, of 200 ms each rather than 30 s. The double's sockets are in the same process.
TEST_F(ChatClientLimitsTest, Keeps256InFlightCheaply) {
  serve(R"({"latency_ms":200})");
  options_.start_concurrency = 256;
  std::size_t most_descriptors = 0;
  std::int64_t most_resident = 0;
  sink_.on_end = [&] {
    if (sink_.ends.size() % 64 != 0) return;
    most_descriptors = std::max(most_descriptors, open_descriptors());
    most_resident = std::max(most_resident, resident_kib());
  };
  constexpr int kRequests = 10'000;
  const std::int64_t resident = resident_kib();
  const double seconds = static_cast<double>(millis_of(kRequests)) / 1e3;
  EXPECT_EQ(sink_.texts.size(), static_cast<std::size_t>(kRequests));
  EXPECT_LE(most_descriptors, 2 * 512U);  // client and server together
  EXPECT_GT(most_descriptors, 2 * 200U);  // the control: so many were open at once
  if (!kSanitized) {
    EXPECT_LT(most_resident - resident, 200 * 1024);
  }
  std::sort(sink_.elapsed_ms.begin(), sink_.elapsed_ms.end());
  const std::int64_t late = sink_.elapsed_ms.at(sink_.elapsed_ms.size() * 99 / 100) - 200;
  RecordProperty("judgments_per_second", static_cast<int>(kRequests / seconds));
  std::printf("%.0f judgments/s, %zu descriptors (both ends), %ld MiB more, the slowest hundredth %ld ms late\n",
              kRequests / seconds, most_descriptors, static_cast<long>((most_resident - resident) / 1024),
              static_cast<long>(late));
}

}  // namespace
}  // namespace cutd
