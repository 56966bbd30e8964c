#include "engine/connection.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <exception>

#include "engine/protocol.h"

namespace cutd {
namespace {

std::int64_t tick_for(const EngineTimeouts& timeouts) {
  const std::int64_t shortest =
      std::min({timeouts.silence_ms, timeouts.stall_ms, timeouts.load_stall_ms, timeouts.cancel_ms});
  return std::clamp<std::int64_t>(shortest / 4, 2, 1000);
}

}  // namespace

EngineConnection::EngineConnection(EngineProcessOptions options, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      tick_ms_(tick_for(options_.timeouts)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      output_(options_.log_file) {
  if (!wake_) throw_errno("cannot make an eventfd");
  thread_ = std::thread([this] { run(); });
}

EngineConnection::~EngineConnection() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void EngineConnection::wake() {
  const std::uint64_t one = 1;
  const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);  // fails only when already awake
  static_cast<void>(ignored);
}

void EngineConnection::clear_wake() {
  std::uint64_t count = 0;
  const ssize_t ignored = ::read(wake_.get(), &count, sizeof count);  // fails when nobody woke us
  static_cast<void>(ignored);
}

EngineState EngineConnection::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

// --- the calling thread --------------------------------------------------------------------------

Json EngineConnection::call(const std::string& method, Json params, const std::stop_token& stop,
                            const ProgressSink& progress) {
  const auto call = std::make_shared<Call>();
  std::int64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) throw Error(ErrorCode::kUnavailable, "the engine is shutting down");
    id = ++last_id_;
    call->line = encode_rpc(RpcRequest{id, method, std::move(params)});
    calls_.emplace(id, call);
  }
  wake();
  wait_until_finished(id, *call, stop, progress);
  if (call->result) return std::move(*call->result);  // also when it came in spite of a cancellation
  if (call->cancelled_ms) throw Error(ErrorCode::kCancelled, "\"" + method + "\" was cancelled");
  throw *call->failure;
}

void EngineConnection::wait_until_finished(std::int64_t id, Call& call, const std::stop_token& stop,
                                           const ProgressSink& progress) {
  const auto news = [&call] { return call.finished() || !call.progress.empty(); };
  std::exception_ptr sink_failure;
  std::unique_lock lock(mutex_);
  while (!call.finished() || !call.progress.empty()) {
    if (call.cancelled_ms) {
      changed_.wait(lock, news);
    } else if (!changed_.wait(lock, stop, news)) {
      cancel(id, call);
      continue;
    }
    while (!call.progress.empty()) {
      const EngineProgress event = std::move(call.progress.front());
      call.progress.pop_front();
      if (!progress || sink_failure) continue;
      lock.unlock();
      try {
        progress(event);
      } catch (...) {
        sink_failure = std::current_exception();
      }
      lock.lock();
      if (sink_failure && !call.finished() && !call.cancelled_ms) cancel(id, call);
    }
  }
  if (sink_failure) std::rethrow_exception(sink_failure);
}

void EngineConnection::cancel(std::int64_t id, Call& call) {
  call.cancelled_ms = clock_.boot_millis();
  if (!call.sent) {
    calls_.erase(id);
    call.failure = Error(ErrorCode::kCancelled, "cancelled before it was sent");
    return;
  }
  cancel_lines_.push_back(encode_rpc(RpcRequest{++last_id_, rpc_method::kCancel, Json{{"request", id}}}));
  wake();
}

// --- the I/O thread ------------------------------------------------------------------------------

void EngineConnection::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    if (session_) run_with_engine();
    else run_without_engine();
  }
  shut_down();
}

void EngineConnection::run_without_engine() {
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    wanted = !calls_.empty();
  }
  const std::int64_t wait_ms = wanted ? wait_before_start() : -1;
  if (wait_ms == 0) return start();
  pollfd wake = {wake_.get(), POLLIN, 0};
  ::poll(&wake, 1, static_cast<int>(wait_ms));
  clear_wake();
}

// Milliseconds, 0: start now, -1: nothing left to start for.
std::int64_t EngineConnection::wait_before_start() {
  const std::int64_t now = clock_.boot_millis();
  const StartDecision decision = decide_start(failures_, now, options_.restart);
  if (!decision.refused) return std::max<std::int64_t>(0, decision.not_before_ms - now);
  const std::lock_guard lock(mutex_);
  fail_all(Error(ErrorCode::kUnavailable,
                 "the engine failed " + std::to_string(options_.restart.most_failures) +
                     " times in a row, last: " + state_.last_failure + "; it will be tried again in " +
                     format_duration(static_cast<double>(decision.not_before_ms - now) / 1000)));
  return -1;
}

void EngineConnection::start() {
  try {
    session_.emplace(options_, clock_, output_, !started_);
    started_ = true;
  } catch (const Error& error) {
    failures_.push_back(clock_.boot_millis());
    logger_.error(error.what());
    const std::lock_guard lock(mutex_);
    state_.last_failure = error.what();
    return fail_all(Error(ErrorCode::kUnavailable, error.what()));
  }
  logger_.info("engine started, process " + std::to_string(session_->pid()));
  const std::lock_guard lock(mutex_);
  state_.running = true;
  state_.pid = session_->pid();
  ++state_.starts;
}

void EngineConnection::run_with_engine() {
  bool overdue = false;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, call] : calls_) {
      if (!call->sent) session_->send_request(std::move(call->line));
      call->sent = true;
    }
    for (std::string& line : cancel_lines_) session_->send_request(std::move(line));
    cancel_lines_.clear();
    state_.phase = session_->phase();
    overdue = cancellation_overdue();
  }
  if (overdue) return give_up("did not end a cancelled request");
  const std::string why =
      session_->step(wake_.get(), tick_ms_, [this](const RpcMessage& message) { on_message(message); });
  clear_wake();
  if (!why.empty()) give_up(why);
}

bool EngineConnection::cancellation_overdue() const {
  const std::int64_t now = clock_.boot_millis();
  return std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
    return entry.second->cancelled_ms && now - *entry.second->cancelled_ms > options_.timeouts.cancel_ms;
  });
}

void EngineConnection::give_up(const std::string& why) {
  // A process that closed its socket is about to end and its status is worth a short wait.
  constexpr std::int64_t kLastWordsMs = 2000;
  const std::string ending = session_->end(why == "ended" ? kLastWordsMs : 0);
  session_.reset();
  failures_.push_back(clock_.boot_millis());
  const std::string message = "the engine " + why + ": " + ending;
  logger_.error(message);
  const std::lock_guard lock(mutex_);
  state_.running = false;
  state_.pid = 0;
  state_.last_failure = message;
  cancel_lines_.clear();
  fail_all(Error(ErrorCode::kUnavailable, message));
}

void EngineConnection::fail_all(const Error& failure) {
  for (auto& [id, call] : calls_) call->failure = failure;
  calls_.clear();
  changed_.notify_all();
}

void EngineConnection::on_message(const RpcMessage& message) {
  if (const auto* notification = std::get_if<RpcNotification>(&message)) {
    if (notification->method == rpc_method::kProgress) on_progress(*notification);
    return;
  }
  if (std::holds_alternative<RpcRequest>(message)) throw Error(ErrorCode::kBadInput, "it sent a request");
  const auto* reply = std::get_if<RpcReply>(&message);
  const auto* failure = std::get_if<RpcFailure>(&message);
  if (failure != nullptr && !failure->id) throw Error(ErrorCode::kBadInput, "it could not read: " + failure->message);
  failures_.clear();
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(reply != nullptr ? reply->id : *failure->id);
  if (found == calls_.end()) return;  // the answer to a cancel, or of a request already given up
  if (reply != nullptr) found->second->result = reply->result;
  else found->second->failure = Error(failure->code, failure->message);
  calls_.erase(found);
  changed_.notify_all();
}

void EngineConnection::on_progress(const RpcNotification& notification) {
  ProgressNotification progress = decode<ProgressNotification>(notification.params);
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(progress.request);
  if (found == calls_.end()) return;
  found->second->progress.push_back(std::move(progress.progress));
  changed_.notify_all();
}

void EngineConnection::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    fail_all(Error(ErrorCode::kUnavailable, "the engine is shutting down"));
    state_.running = false;
  }
  if (!session_) return;
  session_->send_request(encode_rpc(RpcRequest{0, rpc_method::kShutdown, Json::object()}));
  const std::int64_t deadline = clock_.boot_millis() + options_.timeouts.exit_ms;
  std::string why;
  while (why.empty() && clock_.boot_millis() < deadline) {
    why = session_->step(-1, 20, [](const RpcMessage&) {});
  }
  logger_.info("engine stopped: " + session_->end(why == "ended" ? 1000 : 0));
  session_.reset();
}

}  // namespace cutd
