#include "engine/output_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <system_error>

namespace cutd {
namespace {

constexpr std::size_t kKeptLines = 20;
constexpr std::size_t kLongestLine = 300;

}  // namespace

OutputLog::OutputLog(std::filesystem::path path, std::uintmax_t max_bytes)
    : path_(std::move(path)), max_bytes_(max_bytes), lines_(1) {
  reopen();
}

void OutputLog::reopen() {
  if (path_.empty()) return;
  file_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat info {};
  size_ = file_ && ::fstat(file_.get(), &info) == 0 ? static_cast<std::uintmax_t>(info.st_size) : 0;
}

void OutputLog::append(std::string_view bytes) {
  if (file_) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written > 0) size_ += static_cast<std::uintmax_t>(written);
    if (size_ >= max_bytes_) {
      std::error_code ignored;
      std::filesystem::rename(path_, path_.string() + ".1", ignored);
      reopen();
    }
  }
  for (const char byte : bytes) {
    std::string& line = lines_.back();
    if (byte == '\n' || byte == '\r') {
      if (!line.empty()) lines_.emplace_back();
      if (lines_.size() > kKeptLines) lines_.pop_front();
    } else if (line.size() < kLongestLine) {
      line += byte;
    }
  }
}

void OutputLog::begin_process(const std::string& header) {
  append("\n" + header + "\n");
  lines_.assign(1, "");
}

std::string OutputLog::tail(std::size_t most) const {
  std::string text;
  const std::size_t count = lines_.back().empty() ? lines_.size() - 1 : lines_.size();
  for (std::size_t i = count > most ? count - most : 0; i < count; ++i) {
    if (!text.empty()) text += " | ";
    text += lines_[i];
  }
  return text;
}

}  // namespace cutd
