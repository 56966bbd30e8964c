// Clients that hold connections without using them (reliability P27), and what one connection may cost (P29).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

#include "core/sanitized.h"
#include "server/http_server.h"
#include "support/raw_client.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::StartsWith;
using SteadyClock = std::chrono::steady_clock;

const char* const kAsk = "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class SlowClientsTest : public ::testing::Test {
 protected:
  SlowClientsTest() {
    ::getrlimit(RLIMIT_NOFILE, &files_);
    const rlimit most = {files_.rlim_max, files_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &most);
    limits_.drain_ms = 1'000;
    limits_.header_ms = limits_.body_ms = limits_.write_ms = 120'000;  // no deadline makes room
  }
  ~SlowClientsTest() override {
    released_ = true;
    held_.clear();  // or the stop would wait for them
    if (thread_.joinable()) {
      server_->stop();
      thread_.join();
    }
    ::setrlimit(RLIMIT_NOFILE, &files_);
  }

  void start() {
    server_.emplace([this](const Request& request) { return answer(request); }, limits_, logger_);
    server_->listen_unix(socket_path_);
    port_ = server_->listen_tcp("127.0.0.1:0");
    thread_ = std::thread([this] { server_->run(); });
  }
  Reply answer(const Request& request) {
    if (request.path == "/slow") {
      ++slow_;
      while (!released_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    Reply reply;
    if (request.path == "/large") reply.body.assign(4 << 20, 'x');
    return reply;
  }

  // `wanted`, or as many as this machine lets one process hold with the server's ends of them.
  std::size_t permitted(std::size_t wanted) const {
    const std::size_t own = limits_.max_connections + 200;
    const std::size_t room = files_.rlim_max > own ? files_.rlim_max - own : 0;
    if (room >= wanted) return wanted;
    std::cout << "only " << room << " of " << wanted << " clients: the hard limit of descriptors is " << files_.rlim_max
              << "\n";
    return room;
  }
  // Client number `i`, from an address of its own group.
  RawClient& hold(std::size_t i) {
    const std::size_t group = i / limits_.max_per_address;
    const std::string from = "127.1." + std::to_string(group / 200) + "." + std::to_string(1 + group % 200);
    return held_.emplace_back(port_, from.c_str());
  }
  // Slow in the header, in the body, and in reading.
  void hold_slow(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const bool reads_slowly = i % 20 == 0;
      const char* text = i % 2 == 0 ? "GET /x HT" : "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nab";
      hold(i).send(reads_slowly ? "GET /large HTTP/1.1\r\nHost: h\r\n\r\n" : text);
    }
    // Who connects while the kernel's queue is full sends again after seconds, whatever the server does.
    const auto end = SteadyClock::now() + std::chrono::seconds(120);
    while (admitted() < static_cast<std::int64_t>(count) && SteadyClock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_GE(admitted(), static_cast<std::int64_t>(count));
  }
  // Clients that the server has taken out of the kernel's queue: they are open, were evicted or refused.
  std::int64_t admitted() const {
    const ServerCounters& counters = server_->counters();
    return counters.connections_open + static_cast<std::int64_t>(counters.turned_away);
  }
  std::string ask() {
    RawClient client(port_);
    client.send(kAsk);
    return client.receive();
  }
  std::string ask_locally() {
    RawClient client(socket_path_);
    client.send(kAsk);
    return client.receive();
  }
  void expect_honest_clients_are_served() {
    std::vector<double> took;
    for (int i = 0; i < 100; ++i) {
      const auto begin = SteadyClock::now();
      ASSERT_THAT(ask(), StartsWith("HTTP/1.1 200 "));
      took.push_back(std::chrono::duration<double>(SteadyClock::now() - begin).count());
    }
    std::sort(took.begin(), took.end());
    EXPECT_LT(took[98], 0.25);
    EXPECT_THAT(ask_locally(), StartsWith("HTTP/1.1 200 "));
  }

  const TemporaryDirectory folder_;
  std::filesystem::path socket_path_ = folder_.path() / "cutd.sock";
  rlimit files_{};
  ServerLimits limits_;
  NullLogger logger_;
  std::atomic<bool> released_{false};
  std::atomic<int> slow_{0};
  std::optional<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::vector<RawClient> held_;
};

TEST_F(SlowClientsTest, FiveThousandDoNotStarveAnHonestOne) {
  start();
  hold_slow(permitted(5'000));
  expect_honest_clients_are_served();
  EXPECT_LE(server_->counters().connections_open, static_cast<std::int64_t>(limits_.max_connections) + 1);
}

TEST_F(SlowClientsTest, WithoutEvictionTheyKeepAnHonestOneOut) {
  limits_.evict = false;
  start();
  hold_slow(permitted(limits_.max_connections + 100));
  EXPECT_THAT(ask(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(ask_locally(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(SlowClientsTest, AThousandIdleConnectionsDoNotStarveAnHonestOne) {
  start();
  for (std::size_t i = 0; i < permitted(1'000); ++i) {
    RawClient& client = hold(i);
    client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_THAT(client.receive("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  }
  expect_honest_clients_are_served();
}

// Requests at work are never evicted; what is reserved for the Unix socket is out of TCP's reach also then.
TEST_F(SlowClientsTest, TheUnixSocketHasPlacesOfItsOwn) {
  limits_.max_connections = 2;
  start();
  for (std::size_t i = 0; i < 2; ++i) hold(i).send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  while (slow_ < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_THAT(ask(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(ask_locally(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(SlowClientsTest, AConnectionCostsAtMostAMebibyte) {
  if (kSanitized) GTEST_SKIP() << "the memory is the sanitizer's";
  start();
  constexpr std::size_t kClients = 500;
  const std::size_t before = resident_bytes();
  const std::string header = "POST /x HTTP/1.1\r\nHost: h\r\nX: " + std::string(7'000, 'x') +
                             "\r\nContent-Length: " + std::to_string(limits_.body_bytes) + "\r\n\r\n";
  const std::string body(limits_.body_bytes - 1, 'b');  // its last byte never comes
  for (std::size_t i = 0; i < kClients; ++i) {
    RawClient& client = hold(i);
    ASSERT_TRUE(client.send(header));
    ASSERT_TRUE(client.send(body));
  }
  const auto end = SteadyClock::now() + std::chrono::seconds(10);
  while (resident_bytes() < before + kClients * body.size() && SteadyClock::now() < end) std::this_thread::yield();
  const std::size_t each = (resident_bytes() - before) / kClients;
  std::cout << each / 1024 << " KiB a connection\n";
  EXPECT_GE(each, body.size());  // all of it was there
  EXPECT_LE(each, 1U << 20);
}

TEST_F(SlowClientsTest, AMillionKeysAreRefusedBeforeTheyAreRead) {
  start();
  RawClient client(port_);
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 13888899\r\n\r\n{\"0\":0,\"1\":0,");
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 413 "));
}

}  // namespace
}  // namespace cutd
