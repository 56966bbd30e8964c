// The weights of a decoder on one device: what inference and training share. Matrices are plain
// row-major [out, in] as in the Hugging Face layout (y = x W^T + b), fused where one input feeds several
// of them. Nothing here is trained: no tensor requires a gradient.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "weights/model_config.h"
#include "weights/safetensors.h"

namespace cutd {

// Hq, Hkv: query and key/value heads; D: head_dim; I: intermediate_size. Biases are undefined tensors
// where the configuration has none. All tensors have the weights' dtype and are contiguous.
struct LayerWeights {
  at::Tensor attention_norm;  // [hidden]   input_layernorm
  at::Tensor qkv;             // [(Hq + 2 Hkv) D, hidden]   rows of q, then k, then v
  at::Tensor qkv_bias;        // [(Hq + 2 Hkv) D]
  at::Tensor output;          // [hidden, Hq D]   o_proj
  at::Tensor output_bias;     // [hidden]
  at::Tensor mlp_norm;        // [hidden]   post_attention_layernorm
  at::Tensor gate_up;         // [2 I, hidden]   rows of gate, then up
  at::Tensor gate_up_bias;    // [2 I]
  at::Tensor down;            // [hidden, I]
  at::Tensor down_bias;       // [hidden]
};

struct DecoderWeights {
  ModelConfig config;
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  // kFloat or kBFloat16

  at::Tensor embedding;   // [vocab, hidden]
  at::Tensor final_norm;  // [hidden]
  at::Tensor head;        // [vocab, hidden]; the very tensor `embedding` when tied
  std::vector<LayerWeights> layers;

  std::int64_t parameters() const;  // a tied head counts once
  std::int64_t bytes() const;
};

// Reads a Hugging Face folder (validated: weights/model_layout.h) and converts to `dtype` on `device`,
// fusing while copying. Error (kNotFound, kBadInput, kResource) naming the folder or tensor.
DecoderWeights load_decoder_weights(const std::filesystem::path& model_dir, at::ScalarType dtype,
                                    const at::Device& device);
DecoderWeights load_decoder_weights(const ModelConfig& config, const ModelTensors& tensors, at::ScalarType dtype,
                                    const at::Device& device);

// The same shapes with small Gaussian weights (norms 1), from `seed`: for benchmarks and tests.
DecoderWeights random_decoder_weights(const ModelConfig& config, at::ScalarType dtype, const at::Device& device,
                                      std::uint64_t seed);

// Writes a tensor of a file into `target` (same number of elements, any device), converting its type.
// Error(kBadInput) naming the tensor when its type is not F64, F32, F16 or BF16.
void copy_into(const at::Tensor& target, const TensorView& source);

// Part of a fused matrix that belongs to one Hugging Face module ("model.layers.3.mlp.up_proj").
// The returned tensor is a view [out, in]; writing to it changes the weights.
// Error(kBadInput) for a name that is not a linear module of the model.
at::Tensor module_weight(const DecoderWeights& weights, const std::string& module);

}  // namespace cutd
