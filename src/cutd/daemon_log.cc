#include "cutd/daemon_log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <vector>

#include "core/error.h"

namespace cutd {
namespace {

constexpr std::size_t kFileBytes = 10u << 20;
constexpr std::size_t kOldFiles = 4;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

DaemonLog::DaemonLog(const std::filesystem::path& file, LogLevel least, bool to_stderr) {
  try {
    std::vector<spdlog::sink_ptr> sinks = {
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kFileBytes, kOldFiles)};
    if (to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger_ = std::make_shared<spdlog::logger>("cutd", sinks.begin(), sinks.end());
  } catch (const spdlog::spdlog_ex& error) {
    throw Error(ErrorCode::kIo, "cannot write the log " + file.string() + ": " + error.what());
  }
  logger_->set_level(spdlog_level(least));
  logger_->flush_on(spdlog::level::debug);
  logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger_->set_error_handler([](const std::string&) {});  // a log that fails must not stop the work
}

DaemonLog::~DaemonLog() = default;

void DaemonLog::log(LogLevel level, std::string_view message) { logger_->log(spdlog_level(level), "{}", message); }

}  // namespace cutd
