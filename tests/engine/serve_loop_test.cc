#include "engine/serve_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/error.h"
#include "core/unique_fd.h"
#include "engine/line_buffer.h"
#include "engine/protocol.h"

namespace cutd {
namespace {

// Scores slowly, until cancelled or let go; everything else is not asked of it.
class SlowBackend final : public EngineBackend {
 public:
  Json describe() const override { return {{"version", "test"}}; }
  LoadReply load(const ModelSpec&, std::stop_token, const ProgressSink&) override { throw std::bad_alloc(); }
  std::vector<GeneratedResponse> generate(const GenerateRequest&, std::stop_token, const ProgressSink&) override {
    throw std::runtime_error("surprise");
  }
  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                         const ProgressSink& progress) override {
    while (!go) {
      if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
      progress({"score", 0, 1, 0, Json()});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::vector<std::vector<double>>(request.items.size());
  }
  TrainReply train(const TrainRequest&, std::stop_token, const ProgressSink&) override { return {}; }
  MergeReply merge(const MergeRequest&, std::stop_token, const ProgressSink&) override { return {}; }

  std::atomic<bool> go{false};
};

// The daemon's end of the socket, spoken by hand.
class ServeLoopTest : public ::testing::Test {
 protected:
  ServeLoopTest() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    daemon_ = UniqueFd(fds[0]);
    ServeOptions options;
    options.heartbeat_ms = 5;
    options.progress_ms = 0;
    options.max_line_bytes = 100'000;
    options.on_hangup = [this] { hung_up_ = true; };
    engine_ = std::jthread([this, fd = fds[1], options] { serve_engine(fd, backend_, options); });
  }
  ~ServeLoopTest() override { daemon_.reset(); }

  void send(const std::string& bytes) {
    ASSERT_EQ(::send(daemon_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void request(std::int64_t id, const char* method, Json params = Json::object()) {
    send(encode_rpc(RpcRequest{id, method, std::move(params)}));
  }
  void score(std::int64_t id) { request(id, "score", encode(ScoreRequest{{}, {{{1, 2}, 1}}})); }

  // The next message that `wanted` likes; others are dropped.
  RpcMessage await(const std::function<bool(const RpcMessage&)>& wanted) {
    for (;;) {
      while (const auto line = lines_.next_line()) {
        RpcMessage message = parse_rpc(*line);
        if (wanted(message)) return message;
      }
      pollfd ready = {daemon_.get(), POLLIN, 0};
      char bytes[4096];
      ssize_t count = 0;
      if (::poll(&ready, 1, 10'000) > 0) count = ::recv(daemon_.get(), bytes, sizeof bytes, 0);
      if (count <= 0) throw std::runtime_error("nothing came");
      lines_.append({bytes, static_cast<std::size_t>(count)});
    }
  }
  RpcMessage answer_to(std::int64_t id) {
    return await([id](const RpcMessage& message) {
      const auto* reply = std::get_if<RpcReply>(&message);
      const auto* failure = std::get_if<RpcFailure>(&message);
      return (reply != nullptr && reply->id == id) || (failure != nullptr && failure->id == id);
    });
  }
  RpcFailure failure_of(std::int64_t id) { return std::get<RpcFailure>(answer_to(id)); }
  Heartbeat heartbeat() {
    const RpcMessage message = await([](const RpcMessage& candidate) {
      const auto* notification = std::get_if<RpcNotification>(&candidate);
      return notification != nullptr && notification->method == rpc_method::kHeartbeat;
    });
    return decode<Heartbeat>(std::get<RpcNotification>(message).params);
  }

  SlowBackend backend_;
  std::atomic<bool> hung_up_{false};
  UniqueFd daemon_;
  LineBuffer lines_{1 << 20};
  std::jthread engine_;
};

TEST_F(ServeLoopTest, SaysItIsReadyBeforeItIsAsked) { EXPECT_EQ(heartbeat().phase, "idle"); }

TEST_F(ServeLoopTest, TheHeartbeatShowsPhaseAndProgressOfTheWork) {
  score(1);
  Heartbeat beat = heartbeat();
  while (beat.phase != "score") beat = heartbeat();
  const std::int64_t before = beat.progress;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 3; ++i) beat = heartbeat();
  EXPECT_GT(beat.progress, before);
}

TEST_F(ServeLoopTest, DoesOneRequestAtATimeFirstInFirstOut) {
  score(1);
  request(2, "merge", encode(MergeRequest{}));
  request(3, "status");
  EXPECT_EQ(std::get<RpcReply>(answer_to(3)).result.at("open_requests"), 2);
  backend_.go = true;
  answer_to(1);
  answer_to(2);
}

TEST_F(ServeLoopTest, CancelStopsTheRunningRequest) {
  score(1);
  while (heartbeat().phase != "score") {
  }
  request(2, "cancel", {{"request", 1}});
  EXPECT_EQ(failure_of(1).code, ErrorCode::kCancelled);
}

TEST_F(ServeLoopTest, CancelStopsAWaitingRequest) {
  score(1);
  score(2);
  request(3, "cancel", {{"request", 2}});
  EXPECT_EQ(std::get<RpcReply>(answer_to(3)).result.at("found"), true);
  backend_.go = true;
  EXPECT_EQ(failure_of(2).code, ErrorCode::kCancelled);
}

TEST_F(ServeLoopTest, CancellingWhatIsNotThereIsHarmless) {
  request(2, "cancel", {{"request", 99}});
  EXPECT_EQ(std::get<RpcReply>(answer_to(2)).result.at("found"), false);
}

TEST_F(ServeLoopTest, TranslatesForeignFailures) {
  request(1, "load", encode(ModelSpec{}));
  EXPECT_EQ(failure_of(1).code, ErrorCode::kResource);
  request(2, "generate", encode(GenerateRequest{}));
  const RpcFailure failure = failure_of(2);
  EXPECT_EQ(failure.code, ErrorCode::kInternal);
  EXPECT_THAT(failure.message, ::testing::HasSubstr("surprise"));
  request(3, "dance");
  EXPECT_EQ(failure_of(3).code, ErrorCode::kUsage);
  request(4, "score", {{"model", 1}});
  EXPECT_EQ(failure_of(4).code, ErrorCode::kBadInput);
}

TEST_F(ServeLoopTest, GarbageIsAnsweredAndTheLoopGoesOn) {
  send("garbage\n");
  const RpcMessage message =
      await([](const RpcMessage& candidate) { return std::holds_alternative<RpcFailure>(candidate); });
  EXPECT_FALSE(std::get<RpcFailure>(message).id);
  request(1, "status");
  answer_to(1);
}

TEST_F(ServeLoopTest, AnOversizedLineEndsTheLoop) {
  send(std::string(100'001, 'x'));
  engine_.join();
  EXPECT_FALSE(hung_up_);
}

TEST_F(ServeLoopTest, EndOfFileEndsTheLoopEvenAtWork) {
  score(1);
  while (heartbeat().phase != "score") {
  }
  daemon_.reset();
  engine_.join();
  EXPECT_TRUE(hung_up_);
}

TEST_F(ServeLoopTest, ShutdownIsAnsweredAndEndsTheLoop) {
  score(1);
  request(2, "shutdown");
  answer_to(2);
  engine_.join();
  EXPECT_FALSE(hung_up_);
}

}  // namespace
}  // namespace cutd
