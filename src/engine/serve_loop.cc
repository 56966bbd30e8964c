#include "engine/serve_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "engine/protocol.h"
#include "engine/rpc_channel.h"

namespace cutd {
namespace {

struct Work {
  RpcRequest request;
  std::stop_source stop;
};

// What the two threads share.
class Desk {
 public:
  Desk() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) throw_errno("cannot make an eventfd");
  }
  int wake_fd() const { return wake_.get(); }

  // I/O thread.
  void add(RpcRequest request) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(request), std::stop_source()});
    changed_.notify_one();
  }
  bool cancel(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    if (running_ && running_->request.id == id) return running_->stop.request_stop();
    for (Work& work : waiting_) {
      if (work.request.id == id) return work.stop.request_stop();  // answered when its turn comes
    }
    return false;
  }
  // Ends the worker: the running request is stopped, waiting ones are dropped.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_.clear();
    if (running_) running_->stop.request_stop();
    changed_.notify_one();
  }
  std::vector<std::string> take_outgoing() {
    std::uint64_t count = 0;
    const ssize_t ignored = ::read(wake_.get(), &count, sizeof count);
    static_cast<void>(ignored);
    const std::lock_guard lock(mutex_);
    return std::exchange(outgoing_, {});
  }
  Heartbeat heartbeat() const {
    const std::lock_guard lock(mutex_);
    return {phase_, progress_};
  }
  std::size_t open_requests() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() + (running_ ? 1 : 0);
  }

  // Worker thread.
  const Work* next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (closed_) return nullptr;
    running_ = std::move(waiting_.front());
    waiting_.pop_front();
    moved(running_->request.method);
    return &*running_;
  }
  void worked(const std::string& phase) {
    const std::lock_guard lock(mutex_);
    moved(phase);
  }
  void done() {
    const std::lock_guard lock(mutex_);
    running_.reset();
    moved("idle");
  }
  void send(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      outgoing_.push_back(std::move(line));
    }
    const std::uint64_t one = 1;
    const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);
    static_cast<void>(ignored);
  }

 private:
  void moved(const std::string& phase) {
    phase_ = phase;
    ++progress_;
  }

  const UniqueFd wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Work> waiting_;
  std::optional<Work> running_;
  std::vector<std::string> outgoing_;
  std::string phase_ = "idle";
  std::int64_t progress_ = 0;
  bool closed_ = false;
};

// --- worker --------------------------------------------------------------------------------------

Json perform(EngineBackend& backend, const RpcRequest& request, const std::stop_token& stop, const ProgressSink& sink) {
  const std::string& method = request.method;
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "cancelled before it began");
  if (method == rpc_method::kLoad) return encode(backend.load(decode<ModelSpec>(request.params), stop, sink));
  if (method == rpc_method::kGenerate)
    return encode(backend.generate(decode<GenerateRequest>(request.params), stop, sink));
  if (method == rpc_method::kScore) return encode(backend.score(decode<ScoreRequest>(request.params), stop, sink));
  if (method == rpc_method::kExplain)
    return encode(backend.explain(decode<ExplainRequest>(request.params), stop, sink));
  if (method == rpc_method::kTrain) return encode(backend.train(decode<TrainRequest>(request.params), stop, sink));
  if (method == rpc_method::kMerge) return encode(backend.merge(decode<MergeRequest>(request.params), stop, sink));
  throw Error(ErrorCode::kUsage, "the engine has no method \"" + method + "\"");
}

std::string answer(EngineBackend& backend, const Work& work, const ProgressSink& sink) {
  const std::int64_t id = work.request.id;
  try {
    return encode_rpc(RpcReply{id, perform(backend, work.request, work.stop.get_token(), sink)});
  } catch (const Error& error) {
    return encode_rpc(RpcFailure{id, error.code(), error.what()});
  } catch (const std::bad_alloc&) {
    return encode_rpc(RpcFailure{id, ErrorCode::kResource, "out of memory in \"" + work.request.method + "\""});
  } catch (const std::exception& error) {
    return encode_rpc(RpcFailure{id, ErrorCode::kInternal, "\"" + work.request.method + "\": " + error.what()});
  }
}

void work_until_closed(EngineBackend& backend, Desk& desk, const ServeOptions& options) {
  const SystemClock clock;
  while (const Work* work = desk.next()) {
    std::int64_t sent_ms = 0;
    const ProgressSink sink = [&](const EngineProgress& progress) {
      desk.worked(progress.phase);
      const std::int64_t now = clock.boot_millis();
      const bool last = progress.total > 0 && progress.done == progress.total;
      if (progress.detail.is_null() && !last && now - sent_ms < options.progress_ms) return;
      sent_ms = now;
      desk.send(
          encode_rpc(RpcNotification{rpc_method::kProgress, encode(ProgressNotification{work->request.id, progress})}));
    };
    std::string line = answer(backend, *work, sink);
    desk.done();
    desk.send(std::move(line));
  }
}

// --- I/O thread ----------------------------------------------------------------------------------

class Port {
 public:
  Port(int rpc_fd, const EngineBackend& backend, Desk& desk, const ServeOptions& options)
      : channel_(UniqueFd(rpc_fd), options.max_line_bytes), backend_(backend), desk_(desk), options_(options) {}

  // Until shutdown or end of file.
  void run() {
    bool open = true;
    while (open && !shutdown_) {
      beat_if_due();
      for (std::string& line : desk_.take_outgoing()) channel_.queue(std::move(line));
      open = channel_.flush() && wait_and_receive();
    }
    if (!open) hang_up();
    channel_.flush();
    desk_.close();
  }

 private:
  void beat_if_due() {
    const std::int64_t now = clock_.boot_millis();
    // A daemon that does not read gets no more heartbeats to buffer.
    if (now < next_beat_ms_ || channel_.wants_write()) return;
    next_beat_ms_ = now + options_.heartbeat_ms;
    channel_.queue(encode_rpc(RpcNotification{rpc_method::kHeartbeat, encode(desk_.heartbeat())}));
  }

  bool wait_and_receive() {
    const std::int64_t until_beat_ms = std::max<std::int64_t>(1, next_beat_ms_ - clock_.boot_millis());
    const std::int64_t wait_ms = channel_.wants_write() ? options_.heartbeat_ms : until_beat_ms;
    const short events = static_cast<short>(POLLIN | (channel_.wants_write() ? POLLOUT : 0));
    std::array<pollfd, 2> fds = {{{channel_.fd(), events, 0}, {desk_.wake_fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
    return channel_.receive([this](std::string_view line) { on_line(line); });
  }

  void on_line(std::string_view line) {
    try {
      const RpcMessage message = parse_rpc(line);
      const auto* request = std::get_if<RpcRequest>(&message);
      if (request == nullptr) throw Error(ErrorCode::kBadInput, "the engine takes requests only");
      on_request(*request);
    } catch (const Error& error) {
      channel_.queue(encode_rpc(RpcFailure{std::nullopt, error.code(), error.what()}));
    }
  }

  void on_request(const RpcRequest& request) {
    if (request.method == rpc_method::kCancel) {
      const bool found = desk_.cancel(json_get<std::int64_t>(request.params, "request", "cancel"));
      reply(request.id, {{"found", found}});
    } else if (request.method == rpc_method::kStatus) {
      Json status = backend_.describe();
      status["activity"] = encode(desk_.heartbeat());
      status["open_requests"] = desk_.open_requests();
      reply(request.id, std::move(status));
    } else if (request.method == rpc_method::kShutdown) {
      reply(request.id, Json::object());
      shutdown_ = true;
    } else {
      desk_.add(request);
    }
  }

  void reply(std::int64_t id, Json result) { channel_.queue(encode_rpc(RpcReply{id, std::move(result)})); }

  void hang_up() {
    if (!options_.on_hangup) ::_exit(0);
    options_.on_hangup();
  }

  RpcChannel channel_;
  const EngineBackend& backend_;
  Desk& desk_;
  const ServeOptions& options_;
  const SystemClock clock_;
  std::int64_t next_beat_ms_ = 0;  // the first one says "ready"
  bool shutdown_ = false;
};

}  // namespace

void serve_engine(int rpc_fd, EngineBackend& backend, const ServeOptions& options) {
  Desk desk;
  Port port(rpc_fd, backend, desk, options);
  std::jthread io([&port, &desk] {
    try {
      port.run();
    } catch (const Error&) {  // an oversized line: the daemon is not one of ours
      desk.close();
    }
  });
  work_until_closed(backend, desk, options);
}

}  // namespace cutd
