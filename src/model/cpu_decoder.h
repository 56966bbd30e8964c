// The decoder on the CPU: hand-written kernels (cpu_kernels.h) on a team of threads (cpu_team.h), one parallel
// region a step. The residual stream is fp32; what linear layers read, the weights and the cache have the weights'
// type. Weights are streamed from memory once per step for all its rows.
#pragma once

#include <memory>

#include "model/cpu_level.h"
#include "model/decoder.h"

namespace cutd {

// `weights` are on the CPU. The level must be available on this CPU.
std::unique_ptr<Decoder> make_cpu_decoder(const DecoderWeights& weights, const DecoderLimits& limits, CpuLevel level);

}  // namespace cutd
