#include "model/training_layer.h"

namespace cutd {
namespace {

at::Tensor in_type_of(const at::Tensor& gradient, at::ScalarType dtype, at::Tensor& buffer) {
  if (dtype == at::kFloat) return gradient;
  buffer.copy_(gradient);
  return buffer;
}

}  // namespace

LayerState make_layer_state(const DecoderWeights& weights, std::int64_t rows) {
  const ModelConfig& config = weights.config;
  const at::TensorOptions type = at::TensorOptions().dtype(weights.dtype).device(weights.device);
  const at::TensorOptions wide = type.dtype(at::kFloat);
  LayerState state;
  state.input = at::empty({rows, config.hidden_size}, type);
  state.attention_inverse = at::empty({rows}, wide);
  state.qkv = at::empty({rows, (config.heads + 2 * config.kv_heads) * config.head_dim}, type);
  state.attended = at::empty({rows, config.heads * config.head_dim}, type);
  state.log_sums = at::empty({config.heads, rows}, wide);
  state.middle = at::empty({rows, config.hidden_size}, type);
  state.mlp_inverse = at::empty({rows}, wide);
  state.gate_up = at::empty({rows, 2 * config.intermediate_size}, type);
  return state;
}

LayerScratch make_layer_scratch(const DecoderWeights& weights, std::int64_t rows, bool gradient) {
  const ModelConfig& config = weights.config;
  const at::TensorOptions type = at::TensorOptions().dtype(weights.dtype).device(weights.device);
  LayerScratch scratch;
  scratch.normalised = at::empty({rows, config.hidden_size}, type);
  scratch.hidden = at::empty({rows, config.hidden_size}, type);
  scratch.activated = at::empty({rows, config.intermediate_size}, type);
  if (!gradient) return scratch;
  scratch.activated_gradient = at::empty({rows, config.intermediate_size}, type);
  scratch.attended_gradient = at::empty({rows, config.heads * config.head_dim}, type);
  scratch.qkv_gradient = at::empty({rows, (config.heads + 2 * config.kv_heads) * config.head_dim}, type);
  return scratch;
}

void layer_forward(const ModelConfig& config, const LayerWeights& weights, const LoraLayer& lora, PackContext& context,
                   LayerState& state, LayerScratch& scratch, at::Tensor& output) {
  training_ops::rms_norm(state.input, weights.attention_norm, config.rms_norm_eps, scratch.normalised,
                         state.attention_inverse);
  linear_forward(scratch.normalised, weights.qkv, weights.qkv_bias, lora.attention_input, context.lora, state.qkv,
                 state.qkv_hidden);
  training_ops::rotate(state.qkv, config.heads + config.kv_heads, context.rotary, 1);
  training_ops::attention(state.qkv, context.attention, state.attended, state.log_sums);
  linear_forward(state.attended, weights.output, weights.output_bias, lora.attention_output, context.lora,
                 scratch.hidden, state.output_hidden);
  training_ops::add(state.input, scratch.hidden, state.middle);

  training_ops::rms_norm(state.middle, weights.mlp_norm, config.rms_norm_eps, scratch.normalised, state.mlp_inverse);
  linear_forward(scratch.normalised, weights.gate_up, weights.gate_up_bias, lora.mlp_input, context.lora, state.gate_up,
                 state.gate_up_hidden);
  training_ops::silu_multiply(state.gate_up, scratch.activated);
  linear_forward(scratch.activated, weights.down, weights.down_bias, lora.mlp_output, context.lora, scratch.hidden,
                 state.down_hidden);
  training_ops::add(state.middle, scratch.hidden, output);
}

void layer_backward(const ModelConfig& config, const LayerWeights& weights, const LoraLayer& lora, PackContext& context,
                    LayerState& state, LayerScratch& scratch, at::Tensor& gradient, bool needs_input_gradient) {
  const at::ScalarType dtype = state.input.scalar_type();
  const bool attention_trained = !lora.attention_input.empty() || !lora.attention_output.empty();
  const bool needs_attention = needs_input_gradient || attention_trained;

  if (!lora.mlp_output.empty()) training_ops::silu_multiply(state.gate_up, scratch.activated);
  linear_backward(scratch.activated, weights.down, lora.mlp_output, context.lora, state.down_hidden,
                  in_type_of(gradient, dtype, scratch.hidden), scratch.activated_gradient);
  training_ops::silu_multiply_backward(state.gate_up, scratch.activated_gradient);
  if (!lora.mlp_input.empty()) {
    training_ops::rms_norm(state.middle, weights.mlp_norm, config.rms_norm_eps, scratch.normalised, state.mlp_inverse);
  }
  at::Tensor none;
  linear_backward(scratch.normalised, weights.gate_up, lora.mlp_input, context.lora, state.gate_up_hidden,
                  state.gate_up, needs_attention ? scratch.hidden : none);
  if (!needs_attention) return;
  training_ops::rms_norm_backward(state.middle, weights.mlp_norm, state.mlp_inverse, scratch.hidden, gradient);

  linear_backward(state.attended, weights.output, lora.attention_output, context.lora, state.output_hidden,
                  in_type_of(gradient, dtype, scratch.hidden), scratch.attended_gradient);
  training_ops::attention_backward(state.qkv, context.attention, state.attended, state.log_sums,
                                   scratch.attended_gradient, scratch.qkv_gradient);
  training_ops::rotate(scratch.qkv_gradient, config.heads + config.kv_heads, context.rotary, -1);
  if (!lora.attention_input.empty()) {
    training_ops::rms_norm(state.input, weights.attention_norm, config.rms_norm_eps, scratch.normalised,
                           state.attention_inverse);
  }
  linear_backward(scratch.normalised, weights.qkv, lora.attention_input, context.lora, state.qkv_hidden,
                  scratch.qkv_gradient, needs_input_gradient ? scratch.hidden : none);
  if (needs_input_gradient) {
    training_ops::rms_norm_backward(state.input, weights.attention_norm, state.attention_inverse, scratch.hidden,
                                    gradient);
  }
}

}  // namespace cutd
