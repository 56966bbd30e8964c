#include "cutd/socket_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include "core/error.h"
#include "server/http_server.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

// A real server on a socket of its own.
class SocketClientTest : public ::testing::Test {
 protected:
  SocketClientTest() : server_([this](const Request& request) { return answer(request); }, {}, logger_) {
    server_.listen_unix(socket_);
    thread_ = std::thread([this] { server_.run(); });
  }
  ~SocketClientTest() override {
    server_.stop();
    thread_.join();
  }

  Reply answer(const Request& request) {
    if (request.path == "/missing") return problem_reply(404, "there is no run 7", ErrorCode::kNotFound);
    if (request.path == "/large") return json_reply(std::string(3 << 20, 'x'));
    return json_reply(
        {{"method", request.method}, {"path", request.path}, {"query", request.query}, {"body", request.body}});
  }

  const TemporaryDirectory folder_;
  const std::filesystem::path socket_ = folder_ / "cutd.sock";
  NullLogger logger_;
  HttpServer server_;
  std::thread thread_;
};

TEST_F(SocketClientTest, AsksAndGetsTheAnswer) {
  EXPECT_TRUE(socket_answers(socket_));
  const auto reply = ask_socket(socket_, "GET", "/a%20b?x=1", "");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(parse_json(reply->body, "reply"),
            Json({{"method", "GET"}, {"path", "/a b"}, {"query", {{"x", "1"}}}, {"body", ""}}));
}

TEST_F(SocketClientTest, SendsABody) {
  const auto reply = ask_socket(socket_, "POST", "/runs", "{\"a\":1}");
  ASSERT_TRUE(reply);
  EXPECT_EQ(parse_json(reply->body, "reply").at("body"), "{\"a\":1}");
}

TEST_F(SocketClientTest, BringsRefusalsBackAsTheyAre) {
  const auto reply = ask_socket(socket_, "GET", "/missing", "");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 404);
  EXPECT_THAT(reply->body, HasSubstr("there is no run 7"));
}

TEST_F(SocketClientTest, ReadsAnswersLongerThanABuffer) {
  const auto reply = ask_socket(socket_, "GET", "/large", "");
  ASSERT_TRUE(reply);
  EXPECT_GT(reply->body.size(), std::size_t{3 << 20});
}

TEST_F(SocketClientTest, LearnsWhyABodyIsTooLarge) {
  const auto reply = ask_socket(socket_, "POST", "/runs", std::string(1 << 20, 'x'));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413);
}

TEST(SocketClientAloneTest, LearnsThatItWasTurnedAwayBeforeItsRequestWasRead) {
  const TemporaryDirectory folder;
  ServerLimits limits;
  limits.max_local = 0;
  NullLogger logger;
  HttpServer server([](const Request&) { return Reply(); }, limits, logger);
  server.listen_unix(folder / "cutd.sock");
  auto asked = std::async(std::launch::async, [&] { return ask_socket(folder / "cutd.sock", "GET", "/runs", ""); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for the request to be there when the socket is closed
  std::thread serving([&] { server.run(); });
  asked.wait();
  server.stop();
  serving.join();
  const auto reply = asked.get();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_THAT(reply->body, HasSubstr("too many connections"));
}

TEST(SocketClientAloneTest, NobodyListeningIsAnAnswerNotAnError) {
  const TemporaryDirectory folder;
  EXPECT_FALSE(socket_answers(folder / "cutd.sock"));
  EXPECT_EQ(ask_socket(folder / "cutd.sock", "GET", "/", ""), std::nullopt);
  std::ofstream(folder / "cutd.sock") << "left behind";
  EXPECT_EQ(ask_socket(folder / "cutd.sock", "GET", "/", ""), std::nullopt);
}

TEST(ParseReplyTest, RefusesWhatIsNoReplyOrWasCutOff) {
  EXPECT_EQ(parse_reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").body, "{}");
  for (const char* text : {"", "nonsense\r\n\r\n", "HTTP/1.1 \r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", "HTTP/1.1 200 OK\r\n"}) {
    EXPECT_THROW(parse_reply(text), Error) << text;
  }
}

}  // namespace
}  // namespace cutd
