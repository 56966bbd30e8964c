#include "server/webhook_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "server/http_server.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::SizeIs;

// Somebody else's server.
class Receiver {
 public:
  Receiver() : server_([this](const Request& request) { return take(request); }, {}, logger_) {
    port_ = server_.listen_tcp("127.0.0.1:0");
    thread_ = std::thread([this] { server_.run(); });
  }
  ~Receiver() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }
  void answer(int status) { status_ = status; }
  std::vector<Request> taken() {
    const std::scoped_lock lock(mutex_);
    return taken_;
  }

 private:
  Reply take(const Request& request) {
    const std::scoped_lock lock(mutex_);
    taken_.push_back(request);
    return json_reply(Json::object(), status_);
  }
  NullLogger logger_;
  std::atomic<int> status_{200};
  std::mutex mutex_;
  std::vector<Request> taken_;
  HttpServer server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class WebhookSenderTest : public ::testing::Test {
 protected:
  WebhookSenderTest() {
    store_.write([this](Writer& writer) { add_webhook(writer, receiver_.url(), {"budget.reached"}); });
    store_.write([](Writer& writer) { announce(writer, "budget.reached", "x", {{"why", "all spent"}}); });
  }
  WebhookSenderOptions options() {
    return {{"127.0.0.1"}, [] { return std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"); }, 10};
  }
  Delivery delivery() {
    return store_.read([](Reader& reader) { return browse_deliveries(reader, 1, std::nullopt, {}); }).at(0);
  }

  const TemporaryDirectory folder_;
  SystemClock clock_;
  NullLogger logger_;
  Store store_{folder_.path() / "data", clock_, logger_};
  Receiver receiver_;
};

// The example of the Standard Webhooks specification.
TEST(WebhookSignatureTest, IsTheStandards) {
  EXPECT_EQ(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                              "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookDelayTest, DoublesToAnHourAndEnds) {
  EXPECT_EQ(webhook_delay(1), 5'000'000);
  EXPECT_EQ(webhook_delay(2), 10'000'000);
  EXPECT_EQ(webhook_delay(11), 3'600'000'000);
  EXPECT_EQ(webhook_delay(12), std::nullopt);
}

TEST_F(WebhookSenderTest, SendsASignedMessageOnce) {
  WebhookSender sender(store_, options(), clock_, logger_);
  sender.run_once();
  sender.run_once();
  ASSERT_THAT(receiver_.taken(), SizeIs(1));
  const Request taken = receiver_.taken()[0];
  EXPECT_EQ(Json::parse(taken.body).at("event"), "budget.reached");
  EXPECT_EQ(taken.headers.at("webhook-signature"),
            webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", taken.headers.at("webhook-id"),
                              std::stoll(taken.headers.at("webhook-timestamp")), taken.body));
  EXPECT_EQ(delivery().state, "delivered");
}

TEST_F(WebhookSenderTest, WhatIsRefusedWaitsForItsNextTime) {
  receiver_.answer(500);
  WebhookSender sender(store_, options(), clock_, logger_);
  sender.run_once();
  EXPECT_EQ(delivery().state, "waiting");
  EXPECT_EQ(delivery().status, 500);
  EXPECT_EQ(delivery().attempts, 1);
  EXPECT_GT(*delivery().next_attempt_at, clock_.wall_micros());
}

TEST_F(WebhookSenderTest, WithoutASecretNothingLeaves) {
  WebhookSenderOptions without = options();
  without.secret = []() -> std::string { throw Error(ErrorCode::kUsage, "set CUTD_WEBHOOK_SECRET"); };
  WebhookSender sender(store_, without, clock_, logger_);
  sender.run_once();
  EXPECT_THAT(receiver_.taken(), SizeIs(0));
  EXPECT_EQ(delivery().failure, "set CUTD_WEBHOOK_SECRET");
}

TEST_F(WebhookSenderTest, PrivateAddressesAreRefusedUnlessAllowed) {
  WebhookSenderOptions strict = options();
  strict.allow_private.clear();
  error_of(ErrorCode::kUsage, [&] { checked_webhook_url(receiver_.url(), strict); });
  error_of(ErrorCode::kUsage, [&] { checked_webhook_url("https://169.254.169.254/", strict); });
  EXPECT_EQ(checked_webhook_url("https://example.org/x", strict), "https://example.org/x");
}

TEST_F(WebhookSenderTest, ItsThreadDoesTheSame) {
  WebhookSender sender(store_, options(), clock_, logger_);
  sender.begin();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (delivery().state != "delivered" && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  sender.stop();
  EXPECT_EQ(delivery().state, "delivered");
}

}  // namespace
}  // namespace cutd
