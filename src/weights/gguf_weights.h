// The weights of a GGUF file as a safetensors file in the Hugging Face layout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "weights/gguf.h"
#include "weights/model_config.h"

namespace cutd {

// Dequantises in fp32, undoes the row permutation of q and k, rounds once to config.dtype (F32, F16 or BF16).
// Works in pieces of some MiB. Every tensor of the file must be used and every one of the model be there, with
// its shape and finite: Error(kBadInput) names file and tensor. `progress` gets done and total source bytes.
void write_gguf_weights(const GgufFile& file, const ModelConfig& config, const std::filesystem::path& path,
                        const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace cutd
