// Logging seam: modules take a Logger&; the programs decide where lines go. Secrets never enter.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace cutd {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Thread-safe.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void log(LogLevel level, std::string_view message) = 0;

  void debug(std::string_view message) { log(LogLevel::kDebug, message); }
  void info(std::string_view message) { log(LogLevel::kInfo, message); }
  void warning(std::string_view message) { log(LogLevel::kWarning, message); }
  void error(std::string_view message) { log(LogLevel::kError, message); }
};

// "2026-11-24T03:51:07Z info message" on standard error, from `least` up.
class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(LogLevel least = LogLevel::kInfo) : least_(least) {}
  void log(LogLevel level, std::string_view message) override;

 private:
  const LogLevel least_;
  std::mutex mutex_;  // keeps lines whole
};

class NullLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view) override {}
};

}  // namespace cutd
