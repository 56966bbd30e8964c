#include "weights/peft.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "weights/model_layout.h"
#include "weights/safetensors_writer.h"

namespace cutd {
namespace {

constexpr const char* kTensorPrefix = "base_model.model.";
constexpr const char* kBaseHashKey = "cutd_base_model_hash";

std::string last_part(const std::string& module) { return module.substr(module.rfind('.') + 1); }

TensorView view_of(std::string name, const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  return {std::move(name), DType::kF32, {rows, columns}, std::as_bytes(std::span(values))};
}

// PEFT declares lora_alpha an integer; a whole number is written as one.
Json number_json(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

Json adapter_config_json(const PeftAdapter& adapter) {
  return {{"alpha_pattern", Json::object()},
          {"base_model_name_or_path", adapter.base_model_name_or_path},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", true},
          {"layers_pattern", nullptr},
          {"layers_to_transform", nullptr},
          {"lora_alpha", number_json(adapter.lora_alpha)},
          {"lora_bias", false},
          {"lora_dropout", adapter.lora_dropout},
          {"modules_to_save", nullptr},
          {"peft_type", "LORA"},
          {"r", adapter.r},
          {"rank_pattern", Json::object()},
          {"revision", nullptr},
          {"target_modules", adapter.target_modules()},
          {"task_type", "CAUSAL_LM"},
          {"use_dora", false},
          {"use_rslora", adapter.use_rslora}};
}

void check_same_shape(const std::string& name, const LoraModule& left, const LoraModule& right) {
  if (left.in == right.in && left.out == right.out) return;
  throw Error(ErrorCode::kBadInput,
              fmt::format("adapters do not fit together: module \"{}\" is [{}, {}] in one and [{}, {}] in the other",
                          name, left.out, left.in, right.out, right.in));
}

// Appends rows A of one adapter; zeros where it lacks the module.
void append_a(std::vector<float>& rows, const LoraModule* module, std::int64_t r, std::int64_t in) {
  if (module == nullptr) {
    rows.resize(rows.size() + static_cast<std::size_t>(r * in), 0.0F);
  } else {
    rows.insert(rows.end(), module->a.begin(), module->a.end());
  }
}

// Columns [first, first + r) of the joint B [out, width] from one adapter's B, its scale folded in.
void place_b(std::vector<float>& joint, std::int64_t width, std::int64_t first, const LoraModule& module,
             std::int64_t r, double scale) {
  for (std::int64_t row = 0; row < module.out; ++row) {
    for (std::int64_t column = 0; column < r; ++column) {
      const double value = module.b[static_cast<std::size_t>(row * r + column)];
      joint[static_cast<std::size_t>(row * width + first + column)] = static_cast<float>(value * scale);
    }
  }
}

}  // namespace

double PeftAdapter::scale() const {
  const double rank = static_cast<double>(r);
  return lora_alpha / (use_rslora ? std::sqrt(rank) : rank);
}

std::vector<std::string> PeftAdapter::target_modules() const {
  std::set<std::string> kinds;
  for (const auto& [name, module] : modules) kinds.insert(last_part(name));
  return {kinds.begin(), kinds.end()};
}

std::string lora_tensor_name(const std::string& module, char which) {
  return kTensorPrefix + module + ".lora_" + which + ".weight";
}

void check_adapter_base(const PeftAdapter& adapter, const std::string& base_hash, const std::string& origin) {
  if (adapter.base_model_hash.empty() || adapter.base_model_hash == base_hash) return;
  throw Error(ErrorCode::kBadInput, fmt::format("{}: this adapter belongs to the base model {} ({}), not to {}", origin,
                                                adapter.base_model_hash, adapter.base_model_name_or_path, base_hash));
}

void write_adapter(const std::filesystem::path& directory, const PeftAdapter& adapter) {
  std::filesystem::create_directories(directory);
  std::vector<TensorView> tensors;
  for (const auto& [name, module] : adapter.modules) {
    tensors.push_back(view_of(lora_tensor_name(name, 'A'), module.a, adapter.r, module.in));
    tensors.push_back(view_of(lora_tensor_name(name, 'B'), module.b, module.out, adapter.r));
  }
  TensorMetadata metadata = {{"format", "pt"}};
  if (!adapter.base_model_hash.empty()) metadata[kBaseHashKey] = adapter.base_model_hash;
  write_safetensors(directory / "adapter_model.safetensors", tensors, metadata);
  write_file_durably(directory / "adapter_config.json", to_json_text(adapter_config_json(adapter), 2) + "\n");
}

PeftAdapter concatenate_adapters(const PeftAdapter& parent, const PeftAdapter& delta) {
  if (!parent.base_model_hash.empty() && !delta.base_model_hash.empty() &&
      parent.base_model_hash != delta.base_model_hash) {
    throw Error(ErrorCode::kBadInput, "adapters do not fit together: they are for the base models " +
                                          parent.base_model_hash + " and " + delta.base_model_hash);
  }
  PeftAdapter sum;
  sum.r = parent.r + delta.r;
  sum.lora_alpha = static_cast<double>(sum.r);
  sum.lora_dropout = delta.lora_dropout;
  sum.base_model_name_or_path =
      delta.base_model_name_or_path.empty() ? parent.base_model_name_or_path : delta.base_model_name_or_path;
  sum.base_model_hash = delta.base_model_hash.empty() ? parent.base_model_hash : delta.base_model_hash;

  std::set<std::string> names;
  for (const auto& [name, module] : parent.modules) names.insert(name);
  for (const auto& [name, module] : delta.modules) names.insert(name);
  const auto find = [](const PeftAdapter& adapter, const std::string& name) -> const LoraModule* {
    const auto place = adapter.modules.find(name);
    return place == adapter.modules.end() ? nullptr : &place->second;
  };
  for (const std::string& name : names) {
    const LoraModule* first = find(parent, name);
    const LoraModule* second = find(delta, name);
    if (first != nullptr && second != nullptr) check_same_shape(name, *first, *second);
    const LoraModule& any = first != nullptr ? *first : *second;
    LoraModule& joint = sum.modules[name];
    joint.in = any.in;
    joint.out = any.out;
    append_a(joint.a, first, parent.r, any.in);
    append_a(joint.a, second, delta.r, any.in);
    joint.b.assign(static_cast<std::size_t>(any.out * sum.r), 0.0F);
    if (first != nullptr) place_b(joint.b, sum.r, 0, *first, parent.r, parent.scale());
    if (second != nullptr) place_b(joint.b, sum.r, parent.r, *second, delta.r, delta.scale());
  }
  return sum;
}

std::string adapter_hash(const PeftAdapter& adapter) {
  Sha256 hash;
  hash.update(fmt::format("cutd-adapter/1\nr {} scale {:a}\n", adapter.r, adapter.scale()));
  const auto add = [&hash](const std::vector<float>& values) {
    hash.update({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  };
  for (const auto& [name, module] : adapter.modules) {
    hash.update(fmt::format("{} {} {}\n", name, module.out, module.in));
    add(module.a);
    add(module.b);
  }
  return hash.finish_hex();
}

}  // namespace cutd
