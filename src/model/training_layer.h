// One decoder layer for training: forward that keeps what the hand-written backward needs, and no more.
#pragma once

#include <ATen/ATen.h>

#include "model/decoder_weights.h"
#include "model/trainable_lora.h"
#include "model/training_linear.h"
#include "model/training_ops.h"

namespace cutd {

// What all layers of a pack share.
struct PackContext {
  training_ops::RotaryPositions rotary;
  training_ops::AttentionShape attention;
  LoraContext lora;
};

// Kept from forward to backward, [rows, ...]; normalised inputs and silu(gate) * up are made again instead.
struct LayerState {
  at::Tensor input;              // residual stream before the layer
  at::Tensor attention_inverse;  // 1 / rms of input, [rows]
  at::Tensor qkv;                // rotated
  at::Tensor attended;           // attention's output
  at::Tensor log_sums;           // [heads, rows]
  at::Tensor middle;             // residual stream before the MLP
  at::Tensor mlp_inverse;
  at::Tensor gate_up;                                                 // becomes its own gradient in backward
  at::Tensor qkv_hidden, output_hidden, gate_up_hidden, down_hidden;  // LoRA's dropout(x) A^T
};

// Tensors for `rows` rows; forward reuses them.
LayerState make_layer_state(const DecoderWeights& weights, std::int64_t rows);

// Temporaries of one layer at a time, shared by all.
struct LayerScratch {
  at::Tensor normalised;  // [rows, hidden]
  at::Tensor hidden;      // [rows, hidden]
  at::Tensor activated;   // [rows, I]
  at::Tensor activated_gradient;
  at::Tensor attended_gradient;
  at::Tensor qkv_gradient;
};
LayerScratch make_layer_scratch(const DecoderWeights& weights, std::int64_t rows, bool gradient);

// output = layer(state.input); output may be state.input itself when no backward follows.
void layer_forward(const ModelConfig& config, const LayerWeights& weights, const LoraLayer& lora, PackContext& context,
                   LayerState& state, LayerScratch& scratch, at::Tensor& output);

// `gradient` (fp32 [rows, hidden]) is the loss's derivative by the layer's output and becomes that by its input;
// it is left unfinished where `needs_input_gradient` is false (nothing below is trained). Adds to LoRA's gradients.
void layer_backward(const ModelConfig& config, const LayerWeights& weights, const LoraLayer& lora, PackContext& context,
                    LayerState& state, LayerScratch& scratch, at::Tensor& gradient, bool needs_input_gradient);

}  // namespace cutd
