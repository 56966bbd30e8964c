#include "generator/stop_scanner.h"

#include <algorithm>
#include <utility>

namespace cutd {
namespace {

std::vector<std::string> without_empty(std::vector<std::string> stop) {
  std::erase(stop, "");
  return stop;
}

std::size_t longest_of(const std::vector<std::string>& stop) {
  std::size_t longest = 0;
  for (const std::string& text : stop) longest = std::max(longest, text.size());
  return longest;
}

}  // namespace

StopScanner::StopScanner(std::vector<std::string> stop)
    : stop_(without_empty(std::move(stop))), longest_(longest_of(stop_)) {}

bool StopScanner::push(std::string_view piece) {
  if (stopped_) return true;
  // A match that the new piece completes begins at most longest - 1 bytes before it.
  const std::size_t from = text_.size() < longest_ ? 0 : text_.size() - longest_ + 1;
  text_ += piece;
  std::size_t first = std::string::npos;
  for (const std::string& text : stop_) first = std::min(first, text_.find(text, from));
  if (first != std::string::npos) {
    text_.resize(first);
    stopped_ = true;
  }
  return stopped_;
}

std::size_t StopScanner::held_back() const {
  if (stopped_) return 0;
  std::size_t most = 0;
  for (const std::string& text : stop_) {
    for (std::size_t size = std::min(text.size() - 1, text_.size()); size > most; --size) {
      if (std::string_view(text_).substr(text_.size() - size) == std::string_view(text).substr(0, size)) {
        most = size;
        break;
      }
    }
  }
  return most;
}

}  // namespace cutd
