// read_adapter: an adapter folder from anywhere, checked before it can change what a model computes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "weights/model_layout.h"
#include "weights/peft.h"
#include "weights/safetensors.h"

namespace cutd {
namespace {

constexpr std::int64_t kMaxLoraRank = 65536;

// Keys that make PEFT compute something else than W x + scale B A x (or change W) unless they are off: null,
// false, zero or empty.
constexpr std::array<const char*, 18> kMustBeOff = {"use_dora",
                                                    "use_qalora",
                                                    "use_bdlora",
                                                    "lora_bias",
                                                    "fan_in_fan_out",
                                                    "modules_to_save",
                                                    "rank_pattern",
                                                    "alpha_pattern",
                                                    "layer_replication",
                                                    "target_parameters",
                                                    "trainable_token_indices",
                                                    "alora_invocation_tokens",
                                                    "megatron_config",
                                                    "arrow_config",
                                                    "kasa_config",
                                                    "monteclora_config",
                                                    "ensure_weight_tying",
                                                    "loftq_config"};

// Values of init_lora_weights whose adapters only make sense on a base that PEFT rewrote when training began.
constexpr std::array<std::string_view, 5> kBaseChangingInits = {"pissa", "olora", "corda", "loftq", "lora_ga"};

bool is_off(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  return value.empty();
}

void refuse_unsupported(const Json& config, const std::string& origin) {
  const auto refuse = [&](const char* key) {
    throw_json_member(origin, key, to_json_text(config.at(key)).substr(0, 80) + " is not supported");
  };
  if (json_get<std::string>(config, "peft_type", origin) != "LORA") refuse("peft_type");
  for (const char* key : kMustBeOff) {
    if (config.contains(key) && !is_off(config.at(key))) refuse(key);
  }
  if (json_get_or<std::string>(config, "bias", "none", origin) != "none") refuse("bias");
  if (config.contains("init_lora_weights") && config.at("init_lora_weights").is_string()) {
    const std::string init = config.at("init_lora_weights").get<std::string>();
    for (const std::string_view name : kBaseChangingInits) {
      if (init.starts_with(name)) refuse("init_lora_weights");
    }
  }
}

// A list of module name endings. A pattern in place of the list was resolved by PEFT when it chose what to save.
std::optional<std::vector<std::string>> read_target_modules(const Json& config, const std::string& origin) {
  if (!config.contains("target_modules") || config.at("target_modules").is_null()) {
    throw_json_member(origin, "target_modules", "is missing");
  }
  if (config.at("target_modules").is_string()) return std::nullopt;
  return json_get<std::vector<std::string>>(config, "target_modules", origin);
}

double positive_number(const Json& config, const char* key, double fallback, const std::string& origin) {
  if (!config.contains(key)) return fallback;
  if (!config.at(key).is_number() || !(config.at(key).get<double>() > 0))
    throw_json_member(origin, key, "must be a positive number");
  return config.at(key).get<double>();
}

PeftAdapter read_settings(const Json& config, const std::string& origin) {
  refuse_unsupported(config, origin);
  PeftAdapter adapter;
  const Json rank = config.contains("r") ? config.at("r") : Json(8);
  if (!rank.is_number_unsigned() || rank.get<std::uint64_t>() < 1 || rank.get<std::uint64_t>() > kMaxLoraRank) {
    throw_json_member(
        origin, "r",
        fmt::format("must be an integer in [1, {}], not {}", kMaxLoraRank, to_json_text(rank).substr(0, 80)));
  }
  adapter.r = rank.get<std::int64_t>();
  adapter.lora_alpha = positive_number(config, "lora_alpha", 8, origin);
  adapter.lora_dropout = json_get_or<double>(config, "lora_dropout", 0.0, origin);
  if (!(adapter.lora_dropout >= 0 && adapter.lora_dropout < 1))
    throw_json_member(origin, "lora_dropout", "must lie in [0, 1)");
  adapter.use_rslora = json_get_or<bool>(config, "use_rslora", false, origin);
  adapter.base_model_name_or_path = json_get_or<std::string>(config, "base_model_name_or_path", "", origin);
  return adapter;
}

// "base_model.model.<module>.lora_A.weight" -> {module, 'A'}; nothing for any other name.
struct LoraName {
  std::string module;
  char which;
};
std::optional<LoraName> parse_lora_name(std::string_view name) {
  constexpr std::string_view kPrefix = "base_model.model.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  for (const char which : {'A', 'B'}) {
    const std::string suffix = std::string(".lora_") + which + ".weight";
    if (name.ends_with(suffix)) return LoraName{std::string(name.substr(0, name.size() - suffix.size())), which};
  }
  return std::nullopt;
}

bool is_targeted(const std::string& module, const std::vector<std::string>& targets) {
  return std::any_of(targets.begin(), targets.end(),
                     [&](const std::string& target) { return module == target || module.ends_with("." + target); });
}

// Checks and converts the tensors of one file against the linear modules of the model.
class TensorReader {
 public:
  TensorReader(const SafetensorsFile& file, const ModelConfig& config, std::int64_t rank) : file_(file), rank_(rank) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      for (LinearModule& module : layer_linear_modules(config, layer))
        shapes_.emplace(std::move(module.name), module.shape);
    }
  }

  std::map<std::string, LoraModule> read(const std::optional<std::vector<std::string>>& targets) const {
    std::map<std::string, LoraModule> modules;
    for (const TensorView& tensor : file_.tensors()) {
      const std::optional<LoraName> name = parse_lora_name(tensor.name);
      if (!name) refuse(tensor.name, "is not a LoRA matrix of the form base_model.model.<module>.lora_A|lora_B.weight");
      const auto shape = shapes_.find(name->module);
      if (shape == shapes_.end())
        refuse(tensor.name, "belongs to a module that this model does not have or that cannot be adapted");
      if (targets && !is_targeted(name->module, *targets))
        refuse(tensor.name, "is not among the target_modules of adapter_config.json");
      LoraModule& module = modules[name->module];
      module.in = shape->second.in;
      module.out = shape->second.out;
      if (name->which == 'A') module.a = values(tensor, {rank_, module.in});
      else module.b = values(tensor, {module.out, rank_});
    }
    for (const auto& [name, module] : modules) {
      if (module.a.empty()) refuse(lora_tensor_name(name, 'A'), "is missing");
      if (module.b.empty()) refuse(lora_tensor_name(name, 'B'), "is missing");
    }
    return modules;
  }

 private:
  [[noreturn]] void refuse(const std::string& tensor, const std::string& why) const {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: tensor \"{}\" {}", file_.path().string(), tensor, why));
  }

  std::vector<float> values(const TensorView& tensor, const std::vector<std::int64_t>& shape) const {
    if (tensor.shape != shape) {
      refuse(tensor.name, fmt::format("has shape [{}] but model and rank need [{}]", fmt::join(tensor.shape, ", "),
                                      fmt::join(shape, ", ")));
    }
    if (!is_convertible_to_float(tensor.dtype))
      refuse(tensor.name, std::string("has the element type ") + dtype_name(tensor.dtype));
    if (const auto index = find_non_finite(tensor.dtype, tensor.bytes)) {
      refuse(tensor.name, fmt::format("has a value that is not finite at index {}", *index));
    }
    std::vector<float> result(static_cast<std::size_t>(tensor.elements()));
    convert_to_float(tensor.dtype, tensor.bytes, result);
    return result;
  }

  const SafetensorsFile& file_;
  const std::int64_t rank_;
  std::map<std::string, LinearShape> shapes_;
};

}  // namespace

PeftAdapter read_adapter(const std::filesystem::path& directory, const ModelConfig& config) {
  const std::filesystem::path config_path = directory / "adapter_config.json";
  const Json settings = read_json_file(config_path);
  const std::string origin = config_path.string();
  if (!settings.is_object()) throw Error(ErrorCode::kBadInput, origin + ": not a JSON object");
  PeftAdapter adapter = read_settings(settings, origin);
  const auto targets = read_target_modules(settings, origin);
  const SafetensorsFile file(directory / "adapter_model.safetensors");
  adapter.modules = TensorReader(file, config, adapter.r).read(targets);
  if (adapter.modules.empty()) throw Error(ErrorCode::kBadInput, file.path().string() + ": no LoRA matrix in it");
  if (const auto hash = file.metadata().find("cutd_base_model_hash"); hash != file.metadata().end()) {
    adapter.base_model_hash = hash->second;
  }
  return adapter;
}

}  // namespace cutd
