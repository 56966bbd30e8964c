#include "text/native_result.h"

#include <cstring>

#include "core/error.h"

namespace cutd {

void NativeResult::check(int code, const std::string& context) const {
  if (code == CUTD_NATIVE_OK || code == CUTD_NATIVE_NOT_FOUND) return;
  throw Error(ErrorCode::kBadInput, context + ": " + std::string(bytes()));
}

std::vector<std::uint32_t> NativeResult::ids() const {
  std::vector<std::uint32_t> ids(buffer_.size / sizeof(std::uint32_t));
  if (!ids.empty()) std::memcpy(ids.data(), buffer_.data, ids.size() * sizeof(std::uint32_t));
  return ids;
}

}  // namespace cutd
