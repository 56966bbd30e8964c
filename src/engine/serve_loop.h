// The engine's side of the protocol: answers the daemon's requests over one socket until it is told to
// shut down or the daemon is gone. Free of LibTorch, so that it is tested with a fake backend; the real
// one is src/cutd_engine/torch_backend.h.
//
// Two threads. The I/O thread reads requests, sends heartbeats and answers `status` and `cancel` at once;
// at end of file it ends the process immediately, also while the worker is inside a kernel: the daemon is
// gone or has given this process up, and everything unfinished will be done again. The worker is the
// calling thread; it does one request at a time, first in first out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/json.h"
#include "engine/engine.h"
#include "engine/rpc.h"

namespace cutd {

// What the loop serves: the calls of Engine, made by the worker thread. A call returns or throws soon
// after `stop` was requested (next token, next optimiser step), throwing Error(kCancelled), and calls
// `progress` at least once per token step, optimiser step or file: a still sink counts as hung.
class EngineBackend : public Engine {
 public:
  // Version, CPU, threads and devices. Called by the I/O thread, also while another call runs.
  virtual Json describe() const = 0;
};

struct ServeOptions {
  std::int64_t heartbeat_ms = 10'000;
  std::int64_t progress_ms = 100;  // progress without detail is sent at most this often
  std::size_t max_line_bytes = kMaxRpcLineBytes;
  std::function<void()> on_hangup;  // end of file; empty: _exit(0). When it returns, the loop ends.
};

// Owns `rpc_fd`. Returns after `shutdown` was answered, or after on_hangup returned. Throws Error when
// the socket is unusable.
void serve_engine(int rpc_fd, EngineBackend& backend, const ServeOptions& options);

}  // namespace cutd
