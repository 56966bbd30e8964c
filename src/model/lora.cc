#include "model/lora.h"

#include <algorithm>

namespace cutd {
namespace {

at::Tensor to_tensor(const std::vector<float>& values, std::int64_t rows, std::int64_t columns,
                     const at::Device& device) {
  const at::Tensor view =
      at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::TensorOptions().dtype(at::kFloat));
  return device.is_cpu() ? view.clone() : view.to(device);
}

std::vector<float> to_values(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

}  // namespace

LoraAdapter lora_from_adapter(const PeftAdapter& adapter, const at::Device& device) {
  LoraAdapter lora{adapter.r,
                   adapter.lora_alpha,
                   adapter.lora_dropout,
                   adapter.use_rslora,
                   adapter.scale(),
                   adapter.base_model_name_or_path,
                   adapter.base_model_hash,
                   {}};
  for (const auto& [name, module] : adapter.modules) {
    lora.modules[name] = {to_tensor(module.a, adapter.r, module.in, device),
                          to_tensor(module.b, module.out, adapter.r, device)};
  }
  return lora;
}

PeftAdapter adapter_from_lora(const LoraAdapter& lora) {
  PeftAdapter adapter;
  adapter.r = lora.r;
  adapter.lora_alpha = lora.lora_alpha;
  adapter.lora_dropout = lora.lora_dropout;
  adapter.use_rslora = lora.use_rslora;
  adapter.base_model_name_or_path = lora.base_model_name_or_path;
  adapter.base_model_hash = lora.base_model_hash;
  for (const auto& [name, matrices] : lora.modules) {
    adapter.modules[name] = {matrices.a.size(1), matrices.b.size(0), to_values(matrices.a), to_values(matrices.b)};
  }
  return adapter;
}

LoraAdapter load_lora(const std::filesystem::path& directory, const ModelConfig& config, const at::Device& device) {
  return lora_from_adapter(read_adapter(directory, config), device);
}

void save_lora(const std::filesystem::path& directory, const LoraAdapter& lora) {
  write_adapter(directory, adapter_from_lora(lora));
}

at::Tensor lora_delta(const LoraAdapter& lora, const LoraMatrices& matrices) {
  return at::mm(matrices.b, matrices.a).mul_(lora.scale);
}

}  // namespace cutd
