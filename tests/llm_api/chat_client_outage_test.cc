// P18 through the whole client over real HTTP, with a clock of its own: what an outage costs, what is said of it, and
// how soon work goes on after it.
#include <atomic>
#include <thread>

#include "llm_api/chat_client_fixture.h"
#include "support/manual_clock.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

class ChatClientOutageTest : public ChatClientTest {
 protected:
  ~ChatClientOutageTest() override { end(); }

  void serve_sick() {
    server_.emplace([this, healthy = scripted_api()](const FakeRequest& request) {
      if (!sick_) return healthy(request);
      FakeReply reply;
      reply.status = 503;
      reply.body = to_json_text(fake_openai_error("no capacity", "server_error", ""));
      reply.charged = false;
      const bool told = !told_to_wait_.empty() && request.body.find(told_to_wait_) != std::string::npos;
      if (told) reply.headers = {{"Retry-After", "1800"}};
      return reply;
    });
  }

  // Asks about `count` items in a thread of its own; returns when it has begun. Time passes only in pass().
  void begin(int count) {
    options_.endpoint.base_url = server_ ? server_->url() : gone_;
    options_.http = local_http();
    options_.poll_ms = 2;
    client_ = std::make_unique<ChatClient>(options_, manual_);
    sink_.on_end = [this] { ++ended_; };
    for (int i = 0; i < count; ++i) client_->submit(i, about(i));
    working_ = true;
    worker_ = std::thread([this] {
      reason_ = client_->run(stop_.get_token(), sink_);
      working_ = false;
    });
    while (working_ && sink_.watched->announcements == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  static ChatRequest about(int item) {
    ChatRequest chat;
    chat.model = "judge-1";
    chat.messages = {{"user", "Judge item " + std::to_string(item) + "."}};
    return chat;
  }
  // Each step in two: what is due after the first has been sent when the second is noticed, and is answered then.
  void pass(std::int64_t milliseconds, std::int64_t step_ms = 5 * kSecond) {
    for (std::int64_t passed = 0; passed < milliseconds; passed += step_ms) {
      if (step_ms > kSecond) advance(step_ms - kSecond);
      advance(kSecond);
    }
  }
  // Returns when the client has noticed, however slow the machine is. A second at least: that often it beats.
  void advance(std::int64_t milliseconds) {
    const std::int64_t before = sink_.watched->beats;
    manual_.advance_ms(milliseconds);
    while (working_ && (sink_.watched->beats == before || sink_.watched->in_flight > 0))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Until `count` items have ended; how long that took.
  std::int64_t pass_until_ended(int count, std::int64_t most_ms) {
    const std::int64_t begun = manual_.boot_millis();
    while (ended_ < count && manual_.boot_millis() - begun < most_ms) pass(kSecond, kSecond);
    return manual_.boot_millis() - begun;
  }
  // Until the double has read `hits` requests, without time passing.
  void await_hits(std::int64_t hits) {
    while (server_->counts().hits < hits) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void end() {
    stop_.request_stop();
    if (worker_.joinable()) worker_.join();
  }

  ManualClock manual_;
  std::atomic<bool> sick_{true};
  std::atomic<bool> working_{false};
  std::atomic<int> ended_{0};
  std::string told_to_wait_;
  std::string gone_;
  std::optional<ApiFailure> reason_;
  std::stop_source stop_;
  std::unique_ptr<ChatClient> client_;
  std::thread worker_;
};

TEST_F(ChatClientOutageTest, AnHourWithoutAnAnswerCostsAProbeAMinuteAndAllIsDoneTwoMinutesAfterIt) {
  constexpr int kItems = 60;
  serve_sick();
  begin(kItems);
  pass(kHour);
  const std::int64_t hits = server_->counts().hits;
  EXPECT_GE(hits, Circuit::kOpensAt + 50);  // it was asked all the time
  EXPECT_LE(hits, Circuit::kOpensAt + options_.start_concurrency + 61);
  sick_ = false;
  EXPECT_LE(pass_until_ended(kItems, kHour), 2 * kMinute);
  end();
  EXPECT_EQ(sink_.texts.size(), static_cast<std::size_t>(kItems));
}

// Too few to open the circuit, and parked for up to a quarter of an hour.
TEST_F(ChatClientOutageTest, AFewItemsNeedNotWaitOutTheirParkingEither) {
  serve_sick();
  begin(2);
  pass(40 * kMinute);
  EXPECT_EQ(ended_, 0);
  sick_ = false;
  EXPECT_LE(pass_until_ended(2, kHour), 2 * kMinute);
  end();
  EXPECT_THAT(sink_.texts, SizeIs(2));
}

TEST_F(ChatClientOutageTest, WhatTheServerGaveATimeIsAskedAtThatTime) {
  told_to_wait_ = "item 7.";
  serve_sick();
  begin(30);
  pass(10 * kMinute);
  sick_ = false;
  pass_until_ended(29, kHour);
  EXPECT_EQ(ended_, 29);
  pass(10 * kMinute);
  EXPECT_EQ(ended_, 29);
  pass(12 * kMinute);  // half an hour after it was told
  EXPECT_EQ(ended_, 30);
}

TEST_F(ChatClientOutageTest, SaysOnceThatNobodyAnswersAndOnceThatItDoesAgain) {
  serve_sick();
  begin(60);
  pass(5 * kMinute);
  sick_ = false;
  pass_until_ended(60, kHour);
  end();
  ASSERT_THAT(sink_.health, SizeIs(2));
  EXPECT_FALSE(sink_.health[0].answers);
  EXPECT_THAT(sink_.health[0].message, HasSubstr("HTTP 503"));
  EXPECT_EQ(sink_.health[0].try_every_ms, kMinute);
  EXPECT_TRUE(sink_.health[1].answers);
}

TEST_F(ChatClientOutageTest, SaysSoOfAFewItemsToo) {
  serve_sick();
  begin(2);
  pass(5 * kMinute);
  end();
  ASSERT_THAT(sink_.health, SizeIs(1));
  EXPECT_FALSE(sink_.health[0].answers);
}

TEST_F(ChatClientOutageTest, EndsWithTheReasonWhereNobodyWasReachedForHalfAnHour) {
  serve_sick();
  gone_ = server_->url();
  server_.reset();
  options_.unreachable_ms = 30 * kMinute;
  begin(40);
  pass(32 * kMinute);
  worker_.join();  // by itself
  EXPECT_THAT(sink_.health, SizeIs(1));
  ASSERT_TRUE(reason_);
  EXPECT_THAT(reason_->message, HasSubstr("nobody was reached for 3"));
  EXPECT_THAT(reason_->message, HasSubstr("check the base URL"));
  EXPECT_EQ(ended_, 0);  // all stay to be judged
}

TEST_F(ChatClientOutageTest, AServerThatAnswersBadlyIsNotOutOfReach) {  // the negative control
  serve_sick();
  options_.unreachable_ms = 30 * kMinute;
  begin(40);
  pass(50 * kMinute);
  end();
  EXPECT_FALSE(reason_);
}

TEST_F(ChatClientOutageTest, WhatIsNotAdmittedUsesUpNoRate) {
  sick_ = false;
  serve_sick();
  sink_.cap = 0;
  options_.rate.max_rpm = 1;
  begin(50);
  worker_.join();  // though no time passes
  EXPECT_EQ(sink_.capped, 50);
  EXPECT_EQ(server_->counts().hits, 0);
}

TEST_F(ChatClientOutageTest, AnnouncesNoMoreThanMayBeInFlight) {
  sick_ = false;
  serve_sick();
  options_.endpoint.base_url = server_->url();
  options_.http = local_http();
  options_.http.max_in_flight = 4;
  ChatClient client(options_, clock_);
  for (int i = 0; i < 40; ++i) client.submit(i, about(i));
  client.run({}, sink_);
  EXPECT_THAT(sink_.texts, SizeIs(40));
  EXPECT_THAT(sink_.at_once, ::testing::Each(Le(4U)));
}

TEST_F(ChatClientOutageTest, KeepsWhatItLearnedForTheNextRun) {
  sick_ = false;
  serve_sick();
  options_.endpoint.base_url = server_->url();
  options_.http = local_http();
  options_.start_concurrency = 2;
  ChatClient client(options_, clock_);
  for (int i = 0; i < 40; ++i) client.submit(i, about(i));
  client.run({}, sink_);
  EXPECT_EQ(sink_.at_once.front(), 2U);
  sink_.at_once.clear();
  for (int i = 0; i < 40; ++i) client.submit(i, about(100 + i));
  client.run({}, sink_);
  EXPECT_THAT(sink_.at_once.front(), Gt(2U));
}

TEST_F(ChatClientOutageTest, WorksOnWhatIsSubmittedWhileOthersWait) {
  told_to_wait_ = "item 0.";
  serve_sick();
  bool submitted = false;
  sink_.on_beat = [&] {
    if (sick_ || submitted) return;
    submitted = true;
    client_->submit(1, about(1));
  };
  begin(1);
  await_hits(1);
  pass(kSecond);
  EXPECT_EQ(ended_, 0);
  sick_ = false;
  EXPECT_LE(pass_until_ended(1, kHour), kMinute);
  EXPECT_EQ(ended_, 1);  // the other one waits for its half hour
  end();
  EXPECT_THAT(sink_.gave_up, IsEmpty());
}

}  // namespace
}  // namespace cutd
