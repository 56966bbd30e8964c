#include "model/decoder.h"

#include "model/aten_decoder.h"
#include "model/cpu_decoder.h"

namespace cutd {

std::unique_ptr<Decoder> make_decoder(const DecoderWeights& weights, const DecoderLimits& limits, DecoderKind kind) {
  DecoderLimits complete = limits;
  if (complete.threads <= 0) complete.threads = at::get_num_threads();
  if (kind == DecoderKind::kOperators || !weights.device.is_cpu()) return make_aten_decoder(weights, complete);
  return make_cpu_decoder(weights, complete, best_cpu_level());
}

}  // namespace cutd
