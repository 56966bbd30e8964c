// The daemon's log file: DATA/cutd.log, five files of 10 MiB at most.
#pragma once

#include <filesystem>
#include <memory>

#include "core/log.h"

namespace spdlog {
class logger;
}

namespace cutd {

// Thread-safe. Lines are flushed one by one: the last one before a crash is the one that matters.
class DaemonLog final : public Logger {
 public:
  // Everything from `least` up goes to the file; with `to_stderr` also to standard error. Throws Error(kIo)
  // naming the file when it cannot be written.
  DaemonLog(const std::filesystem::path& file, LogLevel least, bool to_stderr);
  ~DaemonLog() override;

  void log(LogLevel level, std::string_view message) override;

 private:
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace cutd
