// The weights of a decoder as the CPU kernels read them: raw pointers into DecoderWeights, biases in fp32.
#pragma once

#include <cstdint>
#include <vector>

#include "model/cpu_kernels.h"
#include "model/decoder_weights.h"

namespace cutd {

template <typename T>
struct CpuLayerWeights {
  const T* attention_norm;
  CpuMatrix<T> qkv;
  CpuMatrix<T> output;
  const T* mlp_norm;
  CpuMatrix<T> gate_up;
  CpuMatrix<T> down;
  std::vector<float> qkv_bias;  // empty: none; so the others
  std::vector<float> output_bias;
  std::vector<float> gate_up_bias;
  std::vector<float> down_bias;
};

template <typename T>
const T* weight_data(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}

template <typename T>
CpuMatrix<T> weight_matrix(const at::Tensor& tensor) {
  return {weight_data<T>(tensor), tensor.size(1)};
}

// Pointers stay valid while the tensors live; refolding writes to the same places.
template <typename T>
std::vector<CpuLayerWeights<T>> cpu_layer_weights(const DecoderWeights& weights) {
  const auto bias = [](const at::Tensor& tensor) {
    if (!tensor.defined()) return std::vector<float>();
    const at::Tensor values = tensor.to(at::kFloat).contiguous();
    return std::vector<float>(values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel());
  };
  std::vector<CpuLayerWeights<T>> layers;
  for (const LayerWeights& layer : weights.layers) {
    layers.push_back({weight_data<T>(layer.attention_norm), weight_matrix<T>(layer.qkv), weight_matrix<T>(layer.output),
                      weight_data<T>(layer.mlp_norm), weight_matrix<T>(layer.gate_up), weight_matrix<T>(layer.down),
                      bias(layer.qkv_bias), bias(layer.output_bias), bias(layer.gate_up_bias), bias(layer.down_bias)});
  }
  return layers;
}

}  // namespace cutd
