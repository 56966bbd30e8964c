// What the engine prints: a file of bounded size, and its last lines for error messages.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/unique_fd.h"

namespace cutd {

// One thread. A log that cannot be written is no reason to stop the engine: writes that fail are dropped.
class OutputLog {
 public:
  // Appends to `path`; when it reaches `max_bytes` it becomes PATH.1 and a new one begins. An empty
  // path keeps the last lines only.
  explicit OutputLog(std::filesystem::path path, std::uintmax_t max_bytes = 8u << 20);

  void append(std::string_view bytes);
  void begin_process(const std::string& header);  // a line that separates processes; empties the tail

  // The last non-empty lines, at most `most`, joined with " | "; each cut to 300 bytes.
  std::string tail(std::size_t most = 5) const;

 private:
  void reopen();

  const std::filesystem::path path_;
  const std::uintmax_t max_bytes_;
  UniqueFd file_;
  std::uintmax_t size_ = 0;
  std::deque<std::string> lines_;  // finished lines, then the one being written
};

}  // namespace cutd
