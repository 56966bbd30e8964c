#include "weights/model_config.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

#include "core/error.h"

namespace cutd {
namespace {

// Where the bias keys of a family come from.
enum class QkvBias { kFromAttentionBias, kAlways };

// A family: what its config.json leaves unsaid. Further families are further rows; a setting that differs
// between them becomes a column here and a field of ModelConfig.
struct FamilySettings {
  const char* architecture;
  const char* model_type;
  QkvBias qkv_bias;
  bool output_bias_from_attention_bias;
  bool mlp_bias_key;
  double default_rms_norm_eps;
  double default_rope_theta;
  std::int64_t default_max_position_embeddings;
  bool default_tie_word_embeddings;
};

constexpr std::array<FamilySettings, 1> kFamilies = {{
    {"LlamaForCausalLM", "llama", QkvBias::kFromAttentionBias, true, true, 1e-6, 10000.0, 2048, false},
}};

// Far above any model, far below what would overflow a product of two.
constexpr std::int64_t kMaxWidth = 1 << 20;
constexpr std::int64_t kMaxLayers = 4096;
constexpr std::int64_t kMaxVocabulary = 1 << 24;
constexpr std::int64_t kMaxPositions = std::int64_t{1} << 31;

// Typed, bounded reading of one JSON object; every error names file and key.
class ConfigReader {
 public:
  ConfigReader(const Json& object, const std::string& origin) : object_(object), origin_(origin) {
    if (!object.is_object()) throw Error(ErrorCode::kBadInput, origin + ": not a JSON object");
  }

  bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }
  const Json& operator[](const char* key) const { return object_.at(key); }

  std::int64_t integer(const char* key, std::int64_t low, std::int64_t high) const {
    if (!has(key)) refuse(key, "is missing");
    return checked_integer(key, object_.at(key), low, high);
  }
  std::int64_t integer_or(const char* key, std::int64_t fallback, std::int64_t low, std::int64_t high) const {
    return has(key) ? integer(key, low, high) : fallback;
  }
  double positive_or(const char* key, double fallback) const {
    if (!has(key)) return fallback;
    const Json& value = object_.at(key);
    if (!value.is_number()) refuse(key, "must be a number, not " + shown(value));
    const double number = value.get<double>();
    if (!(number > 0) || !std::isfinite(number)) refuse(key, "must be a positive number, not " + shown(value));
    return number;
  }
  bool flag_or(const char* key, bool fallback) const {
    if (!has(key)) return fallback;
    if (!object_.at(key).is_boolean()) refuse(key, "must be true or false, not " + shown(object_.at(key)));
    return object_.at(key).get<bool>();
  }
  std::string text_or(const char* key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    if (!object_.at(key).is_string()) refuse(key, "must be text, not " + shown(object_.at(key)));
    return object_.at(key).get<std::string>();
  }
  // One id or a list of ids; empty when the key is absent or null.
  std::vector<std::int64_t> ids(const char* key, std::int64_t vocab_size) const {
    if (!has(key)) return {};
    const Json& value = object_.at(key);
    if (!value.is_array()) return {checked_integer(key, value, 0, vocab_size - 1)};
    std::vector<std::int64_t> ids;
    for (const Json& id : value) ids.push_back(checked_integer(key, id, 0, vocab_size - 1));
    return ids;
  }
  std::optional<std::int64_t> id(const char* key, std::int64_t vocab_size) const {
    const std::vector<std::int64_t> all = ids(key, vocab_size);
    return all.empty() ? std::nullopt : std::optional(all.front());
  }

  [[noreturn]] void refuse(const char* key, const std::string& why) const { throw_json_member(origin_, key, why); }
  static std::string shown(const Json& value) { return to_json_text(value).substr(0, 80); }
  const std::string& origin() const { return origin_; }

 private:
  std::int64_t checked_integer(const char* key, const Json& value, std::int64_t low, std::int64_t high) const {
    const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)
                                                 : value.is_number_integer();
    if (!fits) refuse(key, "must be an integer, not " + shown(value));
    const std::int64_t number = value.get<std::int64_t>();
    if (number < low || number > high) refuse(key, fmt::format("must lie in [{}, {}], not {}", low, high, number));
    return number;
  }

  const Json& object_;
  const std::string& origin_;
};

std::string supported_families() {
  std::string names;
  for (const FamilySettings& family : kFamilies) names += (names.empty() ? "" : ", ") + std::string(family.model_type);
  return names;
}

const FamilySettings& find_family(const ConfigReader& config) {
  std::string named = config.text_or("model_type", "");
  if (config.has("architectures")) {
    const Json& list = config["architectures"];
    if (!list.is_array() || list.size() != 1 || !list[0].is_string()) {
      config.refuse("architectures", "must be a list with one name");
    }
    const std::string architecture = list[0].get<std::string>();
    for (const FamilySettings& family : kFamilies) {
      if (architecture == family.architecture && (named.empty() || named == family.model_type)) return family;
    }
    if (named.empty() || named == "llama") named = architecture;
  } else {
    for (const FamilySettings& family : kFamilies) {
      if (named == family.model_type) return family;
    }
    if (named.empty()) config.refuse("model_type", "is missing");
  }
  throw Error(ErrorCode::kBadInput, fmt::format("{}: model family \"{}\" is not supported (supported: {})",
                                                config.origin(), named.substr(0, 80), supported_families()));
}

// The rope settings proper: transformers 5 `rope_parameters`, transformers 4 `rope_scaling` (may be null).
void read_rope_scaling(const ConfigReader& rope, RopeConfig& result) {
  const std::string type = rope.text_or("rope_type", rope.text_or("type", "default"));
  if (rope.positive_or("partial_rotary_factor", 1.0) != 1.0)
    rope.refuse("partial_rotary_factor", "other than 1 is not supported");
  if (type == "default") return;
  result.factor = rope.positive_or("factor", 0);
  if (result.factor < 1) rope.refuse("factor", "must be there and at least 1");
  if (type == "linear") {
    result.type = RopeType::kLinear;
    return;
  }
  if (type != "llama3") {
    rope.refuse("rope_type", "\"" + type.substr(0, 80) + "\" is not supported (supported: default, linear, llama3)");
  }
  result.type = RopeType::kLlama3;
  for (const char* key : {"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    if (!rope.has(key)) rope.refuse(key, "is missing");
  }
  result.low_freq_factor = rope.positive_or("low_freq_factor", 0);
  result.high_freq_factor = rope.positive_or("high_freq_factor", 0);
  if (result.high_freq_factor <= result.low_freq_factor)
    rope.refuse("high_freq_factor", "must be above low_freq_factor");
  result.original_max_position_embeddings = rope.integer("original_max_position_embeddings", 1, kMaxPositions);
}

RopeConfig read_rope(const ConfigReader& config, const FamilySettings& family) {
  RopeConfig rope;
  rope.theta = config.positive_or("rope_theta", family.default_rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!config.has(key)) continue;
    const std::string origin = config.origin() + ": " + key;
    const ConfigReader parameters(config[key], origin);
    rope.theta = parameters.positive_or("rope_theta", rope.theta);
    rope.type = RopeType::kDefault;
    read_rope_scaling(parameters, rope);
  }
  return rope;
}

void read_shape(const ConfigReader& config, const FamilySettings& family, ModelConfig& result) {
  result.hidden_size = config.integer("hidden_size", 1, kMaxWidth);
  result.intermediate_size = config.integer("intermediate_size", 1, kMaxWidth);
  result.layers = config.integer("num_hidden_layers", 1, kMaxLayers);
  result.heads = config.integer("num_attention_heads", 1, kMaxWidth);
  result.kv_heads = config.integer_or("num_key_value_heads", result.heads, 1, result.heads);
  if (result.heads % result.kv_heads != 0) config.refuse("num_key_value_heads", "must divide num_attention_heads");
  if (!config.has("head_dim") && result.hidden_size % result.heads != 0) {
    config.refuse("num_attention_heads", "must divide hidden_size when head_dim is not given");
  }
  result.head_dim = config.integer_or("head_dim", result.hidden_size / result.heads, 1, kMaxWidth);
  if (result.head_dim % 2 != 0) config.refuse("head_dim", "must be even");
  if (result.heads * result.head_dim > kMaxWidth) config.refuse("head_dim", "is too large for that many heads");
  result.vocab_size = config.integer("vocab_size", 1, kMaxVocabulary);
  result.max_position_embeddings =
      config.integer_or("max_position_embeddings", family.default_max_position_embeddings, 1, kMaxPositions);
}

DType read_dtype(const ConfigReader& config) {
  const char* key = config.has("dtype") ? "dtype" : "torch_dtype";
  const std::string name = config.text_or(key, "float32");
  const std::optional<DType> dtype = dtype_from_torch_name(name);
  if (!dtype || !is_convertible_to_float(*dtype)) config.refuse(key, "\"" + name.substr(0, 80) + "\" is not supported");
  return *dtype;
}

}  // namespace

ModelConfig parse_model_config(const Json& config_json, const Json& generation_config, const std::string& origin) {
  const ConfigReader config(config_json, origin);
  const FamilySettings& family = find_family(config);
  if (config.has("quantization_config"))
    config.refuse("quantization_config", "is not supported: import the unquantised model");

  ModelConfig result;
  result.architecture = family.architecture;
  result.model_type = family.model_type;
  read_shape(config, family, result);
  result.rms_norm_eps = config.positive_or("rms_norm_eps", family.default_rms_norm_eps);
  result.rope = read_rope(config, family);
  const std::string activation = config.text_or("hidden_act", "silu");
  if (activation != "silu")
    config.refuse("hidden_act", "\"" + activation.substr(0, 80) + "\" is not supported (supported: silu)");
  result.tie_word_embeddings = config.flag_or("tie_word_embeddings", family.default_tie_word_embeddings);
  const bool attention_bias = config.flag_or("attention_bias", false);
  result.qkv_bias = family.qkv_bias == QkvBias::kAlways || attention_bias;
  result.attention_output_bias = family.output_bias_from_attention_bias && attention_bias;
  result.mlp_bias = family.mlp_bias_key && config.flag_or("mlp_bias", false);
  result.dtype = read_dtype(config);
  result.bos_token_id = config.id("bos_token_id", result.vocab_size);
  // Many published configs say -1 for "no padding".
  if (config.has("pad_token_id") && config["pad_token_id"] != -1)
    result.pad_token_id = config.id("pad_token_id", result.vocab_size);
  if (!generation_config.is_null()) {
    const std::string generation_origin = origin + " (generation_config.json)";
    result.eos_token_ids = ConfigReader(generation_config, generation_origin).ids("eos_token_id", result.vocab_size);
  }
  if (result.eos_token_ids.empty()) result.eos_token_ids = config.ids("eos_token_id", result.vocab_size);
  return result;
}

ModelConfig read_model_config(const std::filesystem::path& model_dir) {
  const std::filesystem::path config = model_dir / "config.json";
  const std::filesystem::path generation = model_dir / "generation_config.json";
  return parse_model_config(read_json_file(config),
                            std::filesystem::exists(generation) ? read_json_file(generation) : Json(), config.string());
}

Json model_config_to_json(const ModelConfig& config) {
  Json rope = {{"rope_type", "default"}};
  if (config.rope.type == RopeType::kLinear) rope = {{"factor", config.rope.factor}, {"rope_type", "linear"}};
  if (config.rope.type == RopeType::kLlama3) {
    rope = {{"factor", config.rope.factor},
            {"high_freq_factor", config.rope.high_freq_factor},
            {"low_freq_factor", config.rope.low_freq_factor},
            {"original_max_position_embeddings", config.rope.original_max_position_embeddings},
            {"rope_type", "llama3"}};
  }
  Json rope_parameters = rope;
  rope_parameters["rope_theta"] = config.rope.theta;
  const auto optional_id = [](const std::optional<std::int64_t>& id) { return id ? Json(*id) : Json(); };
  const std::vector<std::int64_t>& eos = config.eos_token_ids;
  return {
      {"architectures", {config.architecture}},
      {"attention_bias", config.qkv_bias},
      {"attention_dropout", 0.0},
      {"bos_token_id", optional_id(config.bos_token_id)},
      {"dtype", dtype_torch_name(config.dtype)},
      {"eos_token_id", eos.size() == 1 ? Json(eos[0]) : (eos.empty() ? Json() : Json(eos))},
      {"head_dim", config.head_dim},
      {"hidden_act", "silu"},
      {"hidden_size", config.hidden_size},
      {"initializer_range", 0.02},
      {"intermediate_size", config.intermediate_size},
      {"max_position_embeddings", config.max_position_embeddings},
      {"mlp_bias", config.mlp_bias},
      {"model_type", config.model_type},
      {"num_attention_heads", config.heads},
      {"num_hidden_layers", config.layers},
      {"num_key_value_heads", config.kv_heads},
      {"pad_token_id", optional_id(config.pad_token_id)},
      {"pretraining_tp", 1},
      {"rms_norm_eps", config.rms_norm_eps},
      {"rope_parameters", rope_parameters},
      {"rope_scaling", config.rope.type == RopeType::kDefault ? Json() : rope},  // this and the next for transformers 4
      {"rope_theta", config.rope.theta},
      {"tie_word_embeddings", config.tie_word_embeddings},
      {"torch_dtype", dtype_torch_name(config.dtype)},
      {"use_cache", true},
      {"vocab_size", config.vocab_size}};
}

}  // namespace cutd
