// The engine as a child process: what it inherits (one socket as descriptor 3, an environment without
// secrets) and how it ends (reaped before this object is gone).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/unique_fd.h"

namespace cutd {

// The descriptor the child finds its socket at.
constexpr int kEngineRpcFd = 3;

// NAME=VALUE entries the engine may see: an allow list (paths, locale, threads, GPU, fault injection).
// Everything else, API keys among it, stays behind. A named crash (core/fault.h) is one event: only the first
// engine of a daemon gets it, else every restart would end at the same place.
std::vector<std::string> engine_environment(const char* const* environment, bool first_engine);

// Kills (SIGKILL) and reaps the child in its destructor. The child also dies with the thread that
// created this object (PR_SET_PDEATHSIG), so that thread must live as long. One thread.
class ChildProcess {
 public:
  // Starts `program` with `arguments`: standard input /dev/null, output and error the pipe `output()`, the
  // peer of `socket()` as descriptor 3, nothing else; own process group, so that a terminal's Ctrl-C
  // reaches the daemon alone. Throws Error(kUnavailable) naming the program when it cannot be run.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
               const std::vector<std::string>& environment);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  UniqueFd take_socket() { return std::move(socket_); }
  int output() const { return output_.get(); }  // non-blocking

  // Waits up to `wait_ms` for the child to end by itself, kills it otherwise, reaps it, and says how
  // it ended: "exit status 3", "killed by signal 9 (Killed)".
  std::string end(std::int64_t wait_ms);

 private:
  pid_t pid_ = -1;
  UniqueFd socket_;
  UniqueFd output_;
  std::string ending_;  // set once reaped
};

}  // namespace cutd
