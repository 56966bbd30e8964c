#include "weights/gguf_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

#include "core/error.h"

namespace cutd {
namespace {

struct NamePair {
  std::string_view hugging_face;
  std::string_view gguf;
};

constexpr std::array<NamePair, 3> kModelNames = {{
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
}};

constexpr std::array<NamePair, 9> kLayerNames = {{
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
}};

[[noreturn]] void refuse_key(const GgufFile& file, const std::string& key, const std::string& why) {
  throw Error(ErrorCode::kBadInput, file.path().string() + ": key \"" + key + "\" " + why);
}

// GGUF stores fp32; the shortest decimal that reads back as the same fp32 is what config.json had.
double shortest_decimal(double value) { return std::stod(fmt::format("{}", static_cast<float>(value))); }

// Finds the llama3 settings behind stored frequency factors. Published models differ only in `factor`, which
// is the largest stored value; the rest is verified by computing the factors again.
RopeConfig recognise_llama3(const GgufFile& file, const GgufTensor& tensor, RopeConfig rope, std::int64_t head_dim) {
  std::vector<float> stored(static_cast<std::size_t>(tensor.elements()));
  dequantise(tensor.type, tensor.bytes, stored);
  rope.type = RopeType::kLlama3;
  rope.factor = stored.empty() ? 0 : *std::max_element(stored.begin(), stored.end());
  const std::vector<float> expected = llama3_frequency_factors(rope, head_dim);
  bool equal = stored.size() == expected.size() && rope.factor >= 1;
  for (std::size_t i = 0; equal && i < stored.size(); ++i)
    equal = std::abs(stored[i] - expected[i]) <= 1e-3F * expected[i];
  if (!equal) {
    throw Error(ErrorCode::kBadInput, file.path().string() +
                                          ": tensor \"rope_freqs.weight\" is not the llama3 scaling of any "
                                          "published model (low 1, high 4, original length 8192)");
  }
  return rope;
}

RopeConfig read_rope(const GgufFile& file, std::int64_t head_dim) {
  RopeConfig rope;
  rope.theta = shortest_decimal(file.find_number("llama.rope.freq_base").value_or(10000.0));
  if (const GgufTensor* factors = file.find("rope_freqs.weight"))
    return recognise_llama3(file, *factors, rope, head_dim);
  const std::string type = file.find_string("llama.rope.scaling.type").value_or("none");
  if (type == "none") return rope;
  if (type != "linear")
    refuse_key(file, "llama.rope.scaling.type",
               "\"" + type.substr(0, 80) + "\" is not supported (supported: none, linear)");
  rope.type = RopeType::kLinear;
  rope.factor = shortest_decimal(file.get_number("llama.rope.scaling.factor"));
  return rope;
}

std::vector<std::int64_t> read_eos_ids(const GgufFile& file) {
  std::vector<std::int64_t> ids;
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    const auto id = file.find_integer(key);
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

bool has_tensor(const GgufFile& file, const char* name) { return file.find(name) != nullptr; }

}  // namespace

ModelConfig gguf_model_config(const GgufFile& file) {
  const std::string architecture = file.get_string("general.architecture");
  if (architecture != "llama") {
    refuse_key(file, "general.architecture",
               "\"" + architecture.substr(0, 80) + "\" is not supported (supported: llama)");
  }
  if (file.find_integer("llama.expert_count").value_or(0) > 0)
    refuse_key(file, "llama.expert_count", "above 0 is not supported");

  ModelConfig config;
  config.architecture = "LlamaForCausalLM";
  config.model_type = "llama";
  config.hidden_size = file.get_integer("llama.embedding_length");
  config.intermediate_size = file.get_integer("llama.feed_forward_length");
  config.layers = file.get_integer("llama.block_count");
  config.heads = file.get_integer("llama.attention.head_count");
  config.kv_heads = file.find_integer("llama.attention.head_count_kv").value_or(config.heads);
  if (config.heads < 1) refuse_key(file, "llama.attention.head_count", "must be at least 1");
  config.head_dim = file.find_integer("llama.attention.key_length").value_or(config.hidden_size / config.heads);
  if (file.find_integer("llama.rope.dimension_count").value_or(config.head_dim) != config.head_dim) {
    refuse_key(file, "llama.rope.dimension_count", "must be the head size: partial rotary embedding is not supported");
  }
  config.vocab_size = file.at("token_embd.weight").shape.front();
  config.max_position_embeddings = file.get_integer("llama.context_length");
  config.rms_norm_eps = shortest_decimal(file.get_number("llama.attention.layer_norm_rms_epsilon"));
  config.rope = read_rope(file, config.head_dim);
  config.tie_word_embeddings = !has_tensor(file, "output.weight");
  config.qkv_bias = config.attention_output_bias = has_tensor(file, "blk.0.attn_q.bias");
  config.mlp_bias = has_tensor(file, "blk.0.ffn_gate.bias");
  config.bos_token_id = file.find_integer("tokenizer.ggml.bos_token_id");
  config.pad_token_id = file.find_integer("tokenizer.ggml.padding_token_id");
  config.eos_token_ids = read_eos_ids(file);
  // The bounds of a config.json hold for a GGUF too.
  return parse_model_config(model_config_to_json(config), Json(), file.path().string());
}

GgufTokenizer gguf_tokenizer(const GgufFile& file) {
  GgufTokenizer tokenizer;
  const std::string prefix = "tokenizer.ggml.";
  tokenizer.model = file.get_string(prefix + "model");
  tokenizer.pre = file.find_string(prefix + "pre").value_or("");
  tokenizer.tokens = file.get_strings(prefix + "tokens");
  if (file.contains(prefix + "token_type")) {
    for (const std::int64_t type : file.get_integers(prefix + "token_type"))
      tokenizer.token_types.push_back(static_cast<std::int32_t>(type));
  }
  if (file.contains(prefix + "scores")) {
    for (const double score : file.get_numbers(prefix + "scores"))
      tokenizer.scores.push_back(static_cast<float>(score));
  }
  if (file.contains(prefix + "merges")) tokenizer.merges = file.get_strings(prefix + "merges");
  tokenizer.bos_id = file.find_integer(prefix + "bos_token_id");
  tokenizer.eos_id = file.find_integer(prefix + "eos_token_id");
  tokenizer.unk_id = file.find_integer(prefix + "unknown_token_id");
  tokenizer.pad_id = file.find_integer(prefix + "padding_token_id");
  tokenizer.add_bos = file.find_bool(prefix + "add_bos_token");
  tokenizer.add_eos = file.find_bool(prefix + "add_eos_token");
  tokenizer.add_space_prefix = file.find_bool(prefix + "add_space_prefix");
  tokenizer.chat_template = file.find_string("tokenizer.chat_template").value_or("");
  tokenizer.context_length = file.find_integer("llama.context_length").value_or(0);
  return tokenizer;
}

GgufTensorSource gguf_tensor_source(const std::string& hugging_face_name, const ModelConfig& config) {
  const std::size_t dot = hugging_face_name.rfind('.');
  const std::string kind = dot == std::string::npos ? "" : hugging_face_name.substr(dot);  // ".weight" or ".bias"
  const std::string_view stem = std::string_view(hugging_face_name).substr(0, dot);
  for (const NamePair& names : kModelNames) {
    if (stem == names.hugging_face) return {std::string(names.gguf) + kind, 0};
  }
  constexpr std::string_view kLayerPrefix = "model.layers.";
  const std::size_t layer_end = stem.find('.', kLayerPrefix.size());
  if (stem.starts_with(kLayerPrefix) && layer_end != stem.npos) {
    const std::string layer(stem.substr(kLayerPrefix.size(), layer_end - kLayerPrefix.size()));
    for (const NamePair& names : kLayerNames) {
      if (stem.substr(layer_end + 1) != names.hugging_face) continue;
      const std::int64_t heads = names.gguf == "attn_q" ? config.heads : (names.gguf == "attn_k" ? config.kv_heads : 0);
      return {"blk." + layer + "." + std::string(names.gguf) + kind, heads};
    }
  }
  throw Error(ErrorCode::kInternal, "no GGUF name for tensor \"" + hugging_face_name + "\"");
}

std::int64_t gguf_source_row(const GgufTensorSource& source, std::int64_t row, std::int64_t rows) {
  if (source.permuted_heads == 0) return row;
  const std::int64_t head_rows = rows / source.permuted_heads;
  const std::int64_t head = row / head_rows;
  const std::int64_t half = row % head_rows / (head_rows / 2);
  const std::int64_t pair = row % (head_rows / 2);
  return head * head_rows + 2 * pair + half;
}

std::vector<float> llama3_frequency_factors(const RopeConfig& rope, std::int64_t head_dim) {
  const double original = static_cast<double>(rope.original_max_position_embeddings);
  std::vector<float> factors;
  for (std::int64_t i = 0; i < head_dim / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(head_dim);
    const double wavelength = 2 * std::numbers::pi * std::pow(rope.theta, exponent);
    double factor = rope.factor;
    if (wavelength < original / rope.high_freq_factor) factor = 1;
    else if (wavelength <= original / rope.low_freq_factor) {
      const double smooth =
          (original / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
      factor = 1 / ((1 - smooth) / rope.factor + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

}  // namespace cutd
