// Which tensors a model of a given configuration consists of: names and shapes in the Hugging Face layout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weights/model_config.h"
#include "weights/safetensors.h"

namespace cutd {

struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
};

// Every tensor of the model, embedding first, layer by layer, head last (absent when tied).
std::vector<TensorSpec> model_tensor_specs(const ModelConfig& config);

// A linear layer of the decoder that can carry LoRA.
struct LinearShape {
  std::int64_t out = 0;
  std::int64_t in = 0;
};

// The linear modules of layer `layer` by their Hugging Face name without ".weight":
// "model.layers.0.self_attn.q_proj", ... in execution order.
struct LinearModule {
  std::string name;
  std::string kind;  // "q_proj"
  LinearShape shape;
};
std::vector<LinearModule> layer_linear_modules(const ModelConfig& config, std::int64_t layer);

// All tensors of the configuration are there with their shapes and a type that converts to fp32; a tensor
// nobody asked for is an error too (buffers that old exports hold, "rotary_emb.inv_freq", and a tied
// lm_head.weight are not). Error(kBadInput) names `origin`, tensor, expected and found shape.
void check_model_tensors(const ModelConfig& config, const ModelTensors& tensors, const std::string& origin);

}  // namespace cutd
