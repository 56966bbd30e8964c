// The decoder as LibTorch operators: the path of GPUs, and of the CPU where asked for (tests compare it with the
// hand-written kernels). Everything has the weights' type; norms, softmax and rotary angles are computed in fp32.
#pragma once

#include <memory>

#include "model/decoder.h"

namespace cutd {

std::unique_ptr<Decoder> make_aten_decoder(const DecoderWeights& weights, const DecoderLimits& limits);

}  // namespace cutd
