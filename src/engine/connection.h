// Untyped calls to the engine process, and the thread that carries them (see engine/client.h).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/json.h"
#include "core/log.h"
#include "core/unique_fd.h"
#include "engine/engine.h"
#include "engine/output_log.h"
#include "engine/process_options.h"
#include "engine/session.h"

namespace cutd {

// Thread-safe.
class EngineConnection {
 public:
  EngineConnection(EngineProcessOptions options, const Clock& clock, Logger& logger);
  ~EngineConnection();

  // The result of one request; errors as engine/engine.h.
  Json call(const std::string& method, Json params, const std::stop_token& stop, const ProgressSink& progress);

  EngineState state() const;

 private:
  struct Call {
    std::string line;  // the encoded request
    bool sent = false;
    std::optional<std::int64_t> cancelled_ms;
    std::deque<EngineProgress> progress;  // not yet given to the sink
    std::optional<Json> result;
    std::optional<Error> failure;
    bool finished() const { return result.has_value() || failure.has_value(); }
  };

  // In the calling thread.
  void wait_until_finished(std::int64_t id, Call& call, const std::stop_token& stop, const ProgressSink& progress);
  void cancel(std::int64_t id, Call& call);  // mutex_ held
  void wake();

  // In the I/O thread.
  void run();
  void clear_wake();
  void run_without_engine();
  void run_with_engine();
  std::int64_t wait_before_start();
  void start();
  void give_up(const std::string& why);
  void on_message(const RpcMessage& message);
  void on_progress(const RpcNotification& notification);
  void shut_down();
  void fail_all(const Error& failure);  // mutex_ held
  bool cancellation_overdue() const;    // mutex_ held

  const EngineProcessOptions options_;
  const Clock& clock_;
  Logger& logger_;
  const std::int64_t tick_ms_;
  UniqueFd wake_;  // eventfd

  // Owned by the I/O thread.
  OutputLog output_;
  std::optional<EngineSession> session_;
  bool started_ = false;                // an engine was started before
  std::vector<std::int64_t> failures_;  // since the last answer

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  std::int64_t last_id_ = 0;
  std::map<std::int64_t, std::shared_ptr<Call>> calls_;  // open, by id: sent in this order
  std::vector<std::string> cancel_lines_;                // to be sent
  EngineState state_;

  std::thread thread_;
};

}  // namespace cutd
