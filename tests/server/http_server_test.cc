#include "server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/unique_fd.h"
#include "support/raw_client.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using SteadyClock = std::chrono::steady_clock;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    limits_.header_ms = 200;
    limits_.body_ms = 200;
    limits_.write_ms = 300;
    limits_.linger_ms = 300;
    limits_.idle_ms = 300;
    limits_.drain_ms = 500;
    limits_.event_poll_ms = 5;
    limits_.max_local = 8;
  }
  ~HttpServerTest() override { stop(); }

  void start() {
    server_.emplace([this](const Request& request) { return answer(request); }, limits_, logger_);
    server_->listen_unix(socket_path_);
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }
  Reply answer(const Request& request) {
    ++handled_;
    if (request.path == "/slow") {
      while (!released_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (request.path == "/large") {
      Reply reply;
      reply.body = std::string(32 << 20, 'x');
      return reply;
    }
    if (request.path == "/events") {
      Reply reply;
      reply.events = [count = 0]() mutable -> std::optional<std::string> {
        ++count;
        if (count > 6) return std::nullopt;
        return count % 2 == 0 ? event_text("tick", count) : std::string();
      };
      return reply;
    }
    return json_reply({{"path", request.path}, {"body", request.body}, {"local", request.local}});
  }
  static std::string get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: cutd\r\n" + headers + "\r\n";
  }
  static std::string post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: cutd\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }
  RawClient connect() const { return RawClient(socket_path_); }
  // As many connections as there may be, each kept after an answer.
  std::vector<RawClient> fill() {
    limits_.idle_ms = limits_.header_ms = 10'000;
    start();
    std::vector<RawClient> clients;
    for (std::size_t i = 0; i < limits_.max_local; ++i) {
      clients.push_back(connect());
      clients.back().send(get("/x"));
      clients.back().receive("true}\n");
    }
    return clients;
  }
  std::string ask(const std::string& bytes) const {
    RawClient client = connect();
    client.send(bytes);
    return client.receive();
  }

  const TemporaryDirectory folder_;
  std::filesystem::path socket_path_ = folder_.path() / "cutd.sock";
  ServerLimits limits_;
  NullLogger logger_;
  std::atomic<int> handled_{0};
  std::atomic<bool> released_{false};
  std::optional<HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpServerTest, AnswersARequest) {
  start();
  const std::string reply = ask(get("/hello", "Connection: close\r\n"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, EndsWith("{\"path\":\"/hello\",\"body\":\"\",\"local\":true}\n"));
}

TEST_F(HttpServerTest, TheSocketIsForItsOwnerAlone) {
  start();
  struct stat info {};
  ASSERT_EQ(::stat(socket_path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(HttpServerTest, ReplacesASocketLeftBehind) {
  const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));  // as after kill -9
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  start();
  EXPECT_THAT(ask(get("/x", "Connection: close\r\n")), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, APathTooLongForTheKernelWorks) {
  socket_path_ = folder_.path() / std::string(120, 'd') / "cutd.sock";
  std::filesystem::create_directory(socket_path_.parent_path());
  start();
  EXPECT_THAT(ask(get("/x", "Connection: close\r\n")), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, KeepsAConnectionForSeveralRequests) {
  start();
  RawClient client = connect();
  for (const char* body : {"one", "two"}) {
    client.send(post("/x", body));
    EXPECT_THAT(client.receive("true}\n"), HasSubstr(body)) << body;
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  const std::string replies = ask(post("/a", "first") + post("/b", "second") + get("/c", "Connection: close\r\n"));
  const std::size_t first = replies.find("first");
  const std::size_t second = replies.find("second");
  EXPECT_LT(first, second);
  EXPECT_LT(second, replies.find("\"/c\""));
  EXPECT_EQ(handled_, 3);
}

TEST_F(HttpServerTest, ARequestInSingleBytesIsARequest) {
  limits_.header_ms = 5'000;
  start();
  RawClient client = connect();
  for (const char byte : post("/x", "slowly", "Connection: close\r\n")) ASSERT_TRUE(client.send(std::string(1, byte)));
  EXPECT_THAT(client.receive(), HasSubstr("slowly"));
}

TEST_F(HttpServerTest, ABadRequestLineIs400AndTheEnd) {
  start();
  EXPECT_THAT(ask("NONSENSE\r\n\r\n" + get("/x")), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, AHeaderBeyondItsLimitIs431) {
  start();
  EXPECT_THAT(ask(get("/x", "X: " + std::string(9 << 10, 'x') + "\r\n")), StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, AHeaderOfAlmostTheLimitIsTaken) {
  start();
  EXPECT_THAT(ask(get("/x", "Connection: close\r\nX: " + std::string(8000, 'x') + "\r\n")), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, ABodyBeyondItsLimitIs413BeforeItIsRead) {
  start();
  EXPECT_THAT(ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 262145\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  const std::string whole(256 << 10, 'b');
  EXPECT_THAT(ask(post("/x", whole, "Connection: close\r\n")), HasSubstr(whole));
}

// More than any buffer between the two holds: it was all read before the connection was closed.
TEST_F(HttpServerTest, ARefusedClientMaySendAllOfItsRequestAndReadWhy) {
  limits_.linger_ms = 10'000;
  start();
  RawClient client = connect();
  EXPECT_TRUE(client.send(post("/x", std::string(8 << 20, 'b'))));
  EXPECT_THAT(client.receive(), AllOf(StartsWith("HTTP/1.1 413 "), EndsWith("}\n")));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, ARefusedClientThatNeverEndsIsClosed) {
  start();
  RawClient client = connect();
  const std::string some(1 << 10, 'b');
  EXPECT_TRUE(client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n"));
  const auto begun = SteadyClock::now();
  while (client.send(some) && SteadyClock::now() - begun < std::chrono::seconds(10)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(SteadyClock::now() - begun, std::chrono::seconds(5));
}

TEST_F(HttpServerTest, StoppingDoesNotWaitForARefusedClient) {
  limits_.linger_ms = limits_.drain_ms = 10'000;
  start();
  RawClient client = connect();
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n");
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 413 "));
  const auto begun = SteadyClock::now();
  stop();
  EXPECT_LT(SteadyClock::now() - begun, std::chrono::seconds(5));
}

TEST_F(HttpServerTest, AChunkedBodyIs411) {
  start();
  EXPECT_THAT(ask("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 411 "));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, ExpectContinueIsAnswered) {
  start();
  RawClient client = connect();
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  client.send("ok");
  EXPECT_THAT(client.receive(), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, ASlowHeaderIsCutOffThoughBytesKeepComing) {
  start();
  RawClient client = connect();
  const auto begin = SteadyClock::now();
  const std::string header = get("/x", "X: " + std::string(1000, 'x') + "\r\n");
  std::size_t sent = 0;
  while (sent < header.size() && client.send(header.substr(sent, 1))) {
    ++sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LT(sent, header.size());
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, ASlowBodyIsCutOff) {
  start();
  RawClient client = connect();
  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, ASilentConnectionIsClosed) {
  start();
  RawClient client = connect();
  const auto begin = SteadyClock::now();
  EXPECT_EQ(client.receive(), "");
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(3));
}

TEST_F(HttpServerTest, ASlowReaderIsCutOff) {
  start();
  RawClient client = connect();
  client.send(get("/large"));
  std::this_thread::sleep_for(std::chrono::milliseconds(800));
  EXPECT_LT(client.receive().size(), 32U << 20);
}

TEST_F(HttpServerTest, ConnectionsAtWorkMakeNoRoomForOneMore) {
  limits_.max_local = 2;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(connect());
    clients.back().send(get("/slow"));
  }
  while (handled_ < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_THAT(connect().receive(), StartsWith("HTTP/1.1 503 "));
  released_ = true;
  EXPECT_THAT(clients.front().receive("true}\n"), HasSubstr("/slow"));
}

TEST_F(HttpServerTest, TheConnectionThatWaitedLongestMakesRoomForOneMore) {
  std::vector<RawClient> clients = fill();
  EXPECT_THAT(ask(get("/one-more", "Connection: close\r\n")), HasSubstr("200 OK"));
  EXPECT_EQ(clients.front().receive(), "");
  clients.back().send(get("/again"));
  EXPECT_THAT(clients.back().receive("true}\n"), HasSubstr("/again"));
}

TEST_F(HttpServerTest, WithoutEvictionTheConnectionTooManyIsTurnedAway) {
  limits_.evict = false;
  std::vector<RawClient> clients = fill();
  EXPECT_THAT(connect().receive(), StartsWith("HTTP/1.1 503 "));
  clients.front().send(get("/again"));
  EXPECT_THAT(clients.front().receive("true}\n"), HasSubstr("/again"));
}

// A body that its client does not expect would be read as the next reply.
TEST_F(HttpServerTest, HeadIsAnsweredWithoutABodyAndTheConnectionGoesOn) {
  start();
  RawClient client = connect();
  client.send("HEAD /first HTTP/1.1\r\nHost: cutd\r\n\r\n" + get("/second", "Connection: close\r\n"));
  const std::string replies = client.receive();
  const std::size_t length = std::string("{\"path\":\"/first\",\"body\":\"\",\"local\":true}\n").size();
  EXPECT_THAT(replies, HasSubstr("Content-Length: " + std::to_string(length) + "\r\n"));
  EXPECT_EQ(replies.find("/first"), std::string::npos);
  const std::size_t end = replies.find("\r\n\r\n");
  EXPECT_THAT(replies.substr(end + 4), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(replies, HasSubstr("/second"));
}

TEST_F(HttpServerTest, HeadOfAnEventStreamIsItsHeadAlone) {
  start();
  const std::string reply = ask("HEAD /events HTTP/1.1\r\nHost: cutd\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, SlowClientsDoNotHoldUpAnHonestOne) {
  limits_.header_ms = 5'000;
  limits_.max_local = 64;
  start();
  std::vector<RawClient> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(connect());
    slow.back().send("GET /x HT");
  }
  const auto begin = SteadyClock::now();
  EXPECT_THAT(ask(get("/honest", "Connection: close\r\n")), HasSubstr("200 OK"));
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::milliseconds(250));
}

TEST_F(HttpServerTest, StreamsEventsUntilTheSourceEnds) {
  start();
  const std::string reply = ask(get("/events"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(reply, EndsWith("event: tick\ndata: 2\n\nevent: tick\ndata: 4\n\nevent: tick\ndata: 6\n\n"));
}

TEST_F(HttpServerTest, AnOpenRequestIsFinishedBeforeTheServerStops) {
  start();
  RawClient client = connect();
  client.send(get("/slow"));
  while (handled_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server_->stop();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(connect().connected());
  released_ = true;
  const std::string reply = client.receive();
  EXPECT_THAT(reply, HasSubstr("200 OK"));
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
  thread_.join();
  EXPECT_FALSE(std::filesystem::exists(socket_path_));
}

TEST_F(HttpServerTest, IdleConnectionsDoNotDelayTheStop) {
  limits_.idle_ms = limits_.header_ms = limits_.drain_ms = 60'000;
  start();
  RawClient idle = connect();
  idle.send(get("/x"));
  idle.receive("true}\n");
  const auto begin = SteadyClock::now();
  stop();
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace cutd
