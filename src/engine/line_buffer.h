// Bytes in, whole lines out, with a bound on one line: the framing of the engine's protocol.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cutd {

// One thread.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // Throws Error(kBadInput) once an unfinished line is longer than the bound.
  void append(std::string_view bytes);
  // The next whole line without its '\n'; empty when there is none yet. Throws as append().
  std::optional<std::string> next_line();

 private:
  [[noreturn]] void refuse() const;

  const std::size_t max_line_bytes_;
  std::string bytes_;
  std::size_t start_ = 0;    // of the first line not yet taken
  std::size_t scanned_ = 0;  // no '\n' in [start_, scanned_)
};

}  // namespace cutd
