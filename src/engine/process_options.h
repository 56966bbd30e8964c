// How the engine's process is started and watched, and what is known of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/rpc.h"
#include "engine/supervision.h"

namespace cutd {

struct EngineProcessOptions {
  std::filesystem::path program;       // cutd-engine
  std::vector<std::string> arguments;  // empty: serve --rpc-fd 3 --heartbeat-ms N
  std::filesystem::path log_file;      // what the engine prints; empty: nowhere
  EngineTimeouts timeouts;
  RestartPolicy restart;
  std::size_t max_line_bytes = kMaxRpcLineBytes;
};

struct EngineState {
  bool running = false;
  int pid = 0;
  std::string phase;         // of the last heartbeat; "start" before the first
  std::int64_t starts = 0;   // processes started so far
  std::string last_failure;  // "" when there was none
};

}  // namespace cutd
