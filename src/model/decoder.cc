#include "model/decoder.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "model/aten_decoder.h"
#include "model/cpu_decoder.h"

namespace cutd {

void check_copy(const DecoderLimits& limits, std::int64_t from, std::int64_t to, std::int64_t count) {
  const std::int64_t apart = std::max(from, to) - std::min(from, to);
  const bool inside = std::min(from, to) >= 0 && std::max(from, to) + count <= limits.arena_tokens;
  if (inside && count >= 0 && apart >= count) return;
  throw Error(ErrorCode::kInternal, "decoder: copy of " + std::to_string(count) + " places from " +
                                        std::to_string(from) + " to " + std::to_string(to) + " in an arena of " +
                                        std::to_string(limits.arena_tokens));
}

std::unique_ptr<Decoder> make_decoder(const DecoderWeights& weights, const DecoderLimits& limits, DecoderKind kind) {
  DecoderLimits complete = limits;
  if (complete.threads <= 0) complete.threads = at::get_num_threads();
  if (kind == DecoderKind::kOperators || !weights.device.is_cpu()) return make_aten_decoder(weights, complete);
  return make_cpu_decoder(weights, complete, best_cpu_level());
}

}  // namespace cutd
