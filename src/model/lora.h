// A LoRA adapter as tensors: module "model.layers.0.mlp.down_proj" computes W x + scale * B (A dropout(x)).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

#include "weights/peft.h"

namespace cutd {

struct LoraMatrices {
  at::Tensor a;  // [r, in] fp32
  at::Tensor b;  // [out, r] fp32
};

struct LoraAdapter {
  std::int64_t r = 0;
  double lora_alpha = 0;
  double lora_dropout = 0;
  bool use_rslora = false;
  double scale = 0;  // what multiplies B A
  std::string base_model_name_or_path;
  std::string base_model_hash;
  std::map<std::string, LoraMatrices> modules;  // by Hugging Face module name
};

// Values to tensors on `device` and back (exact; tensors own their memory).
LoraAdapter lora_from_adapter(const PeftAdapter& adapter, const at::Device& device);
PeftAdapter adapter_from_lora(const LoraAdapter& lora);

// PEFT folders: read_adapter / write_adapter of weights/peft.h, with their checks and errors.
LoraAdapter load_lora(const std::filesystem::path& directory, const ModelConfig& config, const at::Device& device);
void save_lora(const std::filesystem::path& directory, const LoraAdapter& lora);

// scale * B A in fp32, [out, in].
at::Tensor lora_delta(const LoraAdapter& lora, const LoraMatrices& matrices);

}  // namespace cutd
