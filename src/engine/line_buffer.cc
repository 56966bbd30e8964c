#include "engine/line_buffer.h"

#include "core/error.h"

namespace cutd {

void LineBuffer::refuse() const {
  throw Error(ErrorCode::kBadInput, "the peer sent a line of more than " + std::to_string(max_line_bytes_) + " bytes");
}

void LineBuffer::append(std::string_view bytes) {
  if (start_ > 0) {  // forget what was taken
    bytes_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  bytes_.append(bytes);
  if (bytes_.size() > max_line_bytes_ && bytes_.find('\n', scanned_) == std::string::npos) refuse();
}

std::optional<std::string> LineBuffer::next_line() {
  const std::size_t end = bytes_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = bytes_.size();
    return std::nullopt;
  }
  if (end - start_ > max_line_bytes_) refuse();
  std::string line = bytes_.substr(start_, end - start_);
  start_ = scanned_ = end + 1;
  return line;
}

}  // namespace cutd
