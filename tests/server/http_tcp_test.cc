#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <thread>

#include "server/http_server.h"
#include "support/error_of.h"
#include "support/raw_client.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using SteadyClock = std::chrono::steady_clock;

class HttpTcpTest : public ::testing::Test {
 protected:
  ~HttpTcpTest() override { stop(); }
  void start() {
    server_.emplace(
        [](const Request& request) {
          return json_reply({{"peer", request.peer}, {"local", request.local}});
        },
        limits_, logger_);
    port_ = server_->listen_tcp("127.0.0.1:0");
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }
  std::string ask(const char* from = "127.0.0.1") {
    RawClient client(port_, from);
    client.send("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.receive();
  }

  ServerLimits limits_;
  NullLogger logger_;
  std::optional<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(HttpTcpTest, KnowsItsPeerAndIsNotLocal) {
  start();
  EXPECT_THAT(ask("127.0.0.3"), HasSubstr("{\"peer\":\"127.0.0.3\",\"local\":false}"));
}

TEST_F(HttpTcpTest, OneAddressMayHoldSoManyConnections) {
  limits_.max_per_address = 4;
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 4; ++i) held.emplace_back(port_);
  for (RawClient& client : held) {
    client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.receive("false}\n");
  }
  EXPECT_THAT(RawClient(port_).receive(), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(ask("127.0.0.2"), StartsWith("HTTP/1.1 200 "));
  EXPECT_GE(server_->counters().turned_away, 1U);
  held.clear();
  const auto end = SteadyClock::now() + std::chrono::seconds(20);
  std::string reply;
  while (!(reply = ask()).starts_with("HTTP/1.1 200 ") && SteadyClock::now() < end) std::this_thread::yield();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTcpTest, BehindAProxyLoopbackIsNotCounted) {
  limits_.max_per_address = 2;
  limits_.behind_proxy = true;
  start();
  std::vector<RawClient> held;
  for (int i = 0; i < 10; ++i) {
    held.emplace_back(port_);
    held.back().send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(held.back().receive("false}\n"), StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(HttpTcpTest, SurvivesRunningOutOfDescriptors) {
  start();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  RawClient held(port_);
  held.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  held.receive("false}\n");                                    // both of its ends are open by now
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // the lowest number that is free
  ::close(next);
  // UBSan opens a pipe to check a type that it meets for the first time, which there will be no room for.
  Logger& logger = logger_;
  logger.warning("before");
  // Room for the client's end of one more connection and none for the server's.
  const rlimit low = {static_cast<rlim_t>(next) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  RawClient starved(port_);
  EXPECT_TRUE(starved.connected());
  starved.send("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_THAT(starved.receive(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpTcpTest, CountsWhatItAnswers) {
  start();
  ask();
  ask();
  EXPECT_EQ(server_->counters().replies[2], 2U);
  const auto end = SteadyClock::now() + std::chrono::seconds(20);
  const std::uint64_t ticks = server_->counters().ticks;
  while (server_->counters().ticks == ticks && SteadyClock::now() < end) std::this_thread::yield();
  EXPECT_GT(server_->counters().ticks, ticks);
}

TEST_F(HttpTcpTest, ATakenPortIsNamed) {
  start();
  HttpServer second([](const Request&) { return Reply(); }, limits_, logger_);
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  EXPECT_THAT(error_of(ErrorCode::kIo, [&] { second.listen_tcp(address); }), HasSubstr(address));
}

TEST(TcpAddressTest, IsAnAddressAndAPort) {
  EXPECT_EQ(parse_tcp_address("127.0.0.1:8080").port, 8080);
  EXPECT_TRUE(parse_tcp_address("[::1]:0").loopback);
  EXPECT_TRUE(parse_tcp_address("localhost:1").loopback);
  EXPECT_FALSE(parse_tcp_address("0.0.0.0:80").loopback);
  EXPECT_FALSE(parse_tcp_address("[::]:80").loopback);
  for (const char* text : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "example.org:80"}) {
    error_of(ErrorCode::kUsage, [&] { parse_tcp_address(text); });
  }
}

}  // namespace
}  // namespace cutd
