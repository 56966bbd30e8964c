// Stop strings in a growing text, across token borders. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cutd {

// One response's text, fed piece by piece. Valid once built; one thread.
class StopScanner {
 public:
  explicit StopScanner(std::vector<std::string> stop);

  // Appends `piece`; true once a stop string is complete (then text() ends before its first occurrence, and
  // further pieces are ignored). With several, the earliest match wins.
  bool push(std::string_view piece);

  bool stopped() const { return stopped_; }
  const std::string& text() const { return text_; }

  // Bytes at the end of text() that may still become part of a stop string: not to be shown yet.
  std::size_t held_back() const;

 private:
  std::vector<std::string> stop_;
  std::size_t longest_;
  std::string text_;
  bool stopped_ = false;
};

}  // namespace cutd
