#include "weights/model_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "core/error.h"

namespace cutd {
namespace {

std::string layer_prefix(std::int64_t layer) { return fmt::format("model.layers.{}.", layer); }

// Tensors that exports hold although the model does not need them.
bool is_ignorable(const std::string& name, const ModelConfig& config) {
  if (name.ends_with("rotary_emb.inv_freq")) return true;
  return config.tie_word_embeddings && name == "lm_head.weight";
}

bool has_bias(const ModelConfig& config, const std::string& kind) {
  if (kind == "o_proj") return config.attention_output_bias;
  if (kind == "q_proj" || kind == "k_proj" || kind == "v_proj") return config.qkv_bias;
  return config.mlp_bias;
}

}  // namespace

std::vector<LinearModule> layer_linear_modules(const ModelConfig& config, std::int64_t layer) {
  const std::string attention = layer_prefix(layer) + "self_attn.";
  const std::string mlp = layer_prefix(layer) + "mlp.";
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t query = config.heads * config.head_dim;
  const std::int64_t key = config.kv_heads * config.head_dim;
  return {{attention + "q_proj", "q_proj", {query, hidden}},
          {attention + "k_proj", "k_proj", {key, hidden}},
          {attention + "v_proj", "v_proj", {key, hidden}},
          {attention + "o_proj", "o_proj", {hidden, query}},
          {mlp + "gate_proj", "gate_proj", {config.intermediate_size, hidden}},
          {mlp + "up_proj", "up_proj", {config.intermediate_size, hidden}},
          {mlp + "down_proj", "down_proj", {hidden, config.intermediate_size}}};
}

std::vector<TensorSpec> model_tensor_specs(const ModelConfig& config) {
  std::vector<TensorSpec> specs;
  specs.push_back({"model.embed_tokens.weight", {config.vocab_size, config.hidden_size}});
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    specs.push_back({layer_prefix(layer) + "input_layernorm.weight", {config.hidden_size}});
    for (const LinearModule& module : layer_linear_modules(config, layer)) {
      specs.push_back({module.name + ".weight", {module.shape.out, module.shape.in}});
      if (has_bias(config, module.kind)) specs.push_back({module.name + ".bias", {module.shape.out}});
    }
    specs.push_back({layer_prefix(layer) + "post_attention_layernorm.weight", {config.hidden_size}});
  }
  specs.push_back({"model.norm.weight", {config.hidden_size}});
  if (!config.tie_word_embeddings) specs.push_back({"lm_head.weight", {config.vocab_size, config.hidden_size}});
  return specs;
}

void check_model_tensors(const ModelConfig& config, const ModelTensors& tensors, const std::string& origin) {
  const auto refuse = [&](const std::string& name, const std::string& why) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: tensor \"{}\" {}", origin, name, why));
  };
  std::set<std::string> known;
  for (const TensorSpec& spec : model_tensor_specs(config)) {
    const TensorView* tensor = tensors.find(spec.name);
    if (tensor == nullptr) refuse(spec.name, "is missing");
    if (tensor->shape != spec.shape) {
      refuse(spec.name, fmt::format("has shape [{}] but the configuration needs [{}]", fmt::join(tensor->shape, ", "),
                                    fmt::join(spec.shape, ", ")));
    }
    if (!is_convertible_to_float(tensor->dtype)) {
      refuse(spec.name, std::string("has the element type ") + dtype_name(tensor->dtype) + ", which is not supported");
    }
    known.insert(spec.name);
  }
  for (const std::string& name : tensors.names()) {
    if (!known.contains(name) && !is_ignorable(name, config)) refuse(name, "is not part of the configured model");
  }
}

}  // namespace cutd
