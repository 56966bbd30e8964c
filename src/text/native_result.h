// What an entry of the text library left in its `out` buffer: a result, or an Error. Private to src/text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "native/cutd_native.h"

namespace cutd {

// Owns one buffer of the text library: pass out() to the entry, then check() its return code.
class NativeResult {
 public:
  NativeResult() = default;
  ~NativeResult() { cutd_buffer_free(buffer_); }
  NativeResult(const NativeResult&) = delete;
  NativeResult& operator=(const NativeResult&) = delete;

  CutdBuffer* out() { return &buffer_; }
  // Throws Error(kBadInput) "context: text" unless `code` is CUTD_NATIVE_OK or CUTD_NATIVE_NOT_FOUND. A panic
  // of the library is reported so too: only unusable input is known to cause one, and the text says what it was.
  void check(int code, const std::string& context) const;

  std::string_view bytes() const { return {reinterpret_cast<const char*>(buffer_.data), buffer_.size}; }
  std::vector<std::uint32_t> ids() const;

 private:
  CutdBuffer buffer_{};
};

inline const std::uint8_t* native_bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace cutd
