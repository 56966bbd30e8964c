// One running engine process as the I/O thread sees it: the child, its socket, what it prints, and
// whether it is well.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/clock.h"
#include "engine/child_process.h"
#include "engine/output_log.h"
#include "engine/process_options.h"
#include "engine/rpc.h"
#include "engine/rpc_channel.h"

namespace cutd {

// One thread, which must outlive the session (see ChildProcess). The destructor kills and reaps.
class EngineSession {
 public:
  using OnMessage = std::function<void(const RpcMessage& message)>;

  // Starts the process; `first`: none was started before. Throws Error(kUnavailable) when it cannot be run.
  EngineSession(const EngineProcessOptions& options, const Clock& clock, OutputLog& output, bool first);

  pid_t pid() const { return child_.pid(); }
  const std::string& phase() const { return liveness_.phase(); }

  void send_request(std::string line);

  // Waits up to `wait_ms` for traffic or for `wake_fd` to become readable, moves bytes both ways and
  // hands on every message but heartbeats. Returns "" while the engine is well, else why it is not:
  // ended, silent, hung or talking nonsense. After that only end() is of use.
  std::string step(int wake_fd, std::int64_t wait_ms, const OnMessage& on_message);

  // Lets the process end by itself for `wait_ms`, then kills it; reaps it. How it ended and what it
  // last printed: "killed by signal 9 (Killed); it last printed: ...".
  std::string end(std::int64_t wait_ms);

 private:
  void on_line(std::string_view line, const OnMessage& on_message);
  void drain_output();

  const EngineTimeouts timeouts_;
  const Clock& clock_;
  OutputLog& output_;
  ChildProcess child_;
  RpcChannel channel_;
  Liveness liveness_;
};

}  // namespace cutd
