#include "server/claim_rate.h"

#include <algorithm>

namespace cutd {

bool ClaimRate::admit(UserId user, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = buckets_.try_emplace(user, Bucket{burst_, now_ms}).first->second;
  const double filled = static_cast<double>(std::max<std::int64_t>(0, now_ms - bucket.at_ms)) / 1000 * per_second_;
  bucket.left = std::min(burst_, bucket.left + filled);
  bucket.at_ms = now_ms;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

}  // namespace cutd
