// Unpacks one gzip stream as it arrives and never beyond a limit. Ours rather than libcurl's, which does not
// report a stream that ends early: a cut reply must never look whole (reliability P16).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace cutd {

class GzipReader {
 public:
  enum class State { kMore, kEnd, kBroken, kTooLarge };

  GzipReader();
  ~GzipReader();

  // Appends what `bytes` unpacks to; `output` never grows beyond `limit`. kEnd once the stream's checksum was
  // right; bytes after it make the stream kBroken.
  State read(std::string_view bytes, std::string& output, std::size_t limit);
  State state() const { return state_; }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  State state_ = State::kMore;
};

}  // namespace cutd
