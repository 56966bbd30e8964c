// What a decoder is, as data: the config.json of a Hugging Face model folder, in the dialects of transformers
// 4 and 5. A family (Llama, later others) is a row of the table in model_config.cc, not code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "weights/dtype.h"

namespace cutd {

enum class RopeType { kDefault, kLinear, kLlama3 };

// Rotary embedding. Inverse frequency of pair i: theta^(-2i/head_dim); `linear` divides it by factor; `llama3`:
// wavelength > original/low: divided by factor; < original/high: as is; between: interpolated.
struct RopeConfig {
  RopeType type = RopeType::kDefault;
  double theta = 10000;
  double factor = 1;
  double low_freq_factor = 1;  // llama3 only, as the two below
  double high_freq_factor = 4;
  std::int64_t original_max_position_embeddings = 8192;

  bool operator==(const RopeConfig&) const = default;
};

enum class Activation { kSilu };

struct ModelConfig {
  std::string architecture;  // "LlamaForCausalLM"
  std::string model_type;    // "llama"
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;  // divides heads
  std::int64_t head_dim = 0;  // even; heads * head_dim need not be hidden_size
  std::int64_t vocab_size = 0;
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 0;
  RopeConfig rope;
  Activation hidden_act = Activation::kSilu;
  bool tie_word_embeddings = false;
  bool qkv_bias = false;               // on q_proj, k_proj, v_proj
  bool attention_output_bias = false;  // on o_proj
  bool mlp_bias = false;               // on gate_proj, up_proj, down_proj
  DType dtype = DType::kF32;           // what config.json says the weights are
  std::optional<std::int64_t> bos_token_id;
  std::optional<std::int64_t> pad_token_id;
  std::vector<std::int64_t> eos_token_ids;  // generation_config.json's if it has any, else config.json's

  bool operator==(const ModelConfig&) const = default;
};

// From parsed config.json and, where there is one, generation_config.json (null otherwise). Pure.
// Error(kBadInput) naming `origin` and the key: missing, wrong type, absurd, unsupported family or feature.
ModelConfig parse_model_config(const Json& config, const Json& generation_config, const std::string& origin);

// Reads both files of a model folder.
ModelConfig read_model_config(const std::filesystem::path& model_dir);

// config.json as transformers 5 writes it plus the top-level keys that transformers 4 needs; parse_model_config
// gives the same ModelConfig back.
Json model_config_to_json(const ModelConfig& config);

}  // namespace cutd
