#include "model/trainable_lora.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "weights/model_layout.h"

namespace cutd {

struct TrainableLora::Plan {
  std::int64_t r;
  double alpha;
  bool use_rslora;
  double scale;
  double dropout;
  std::set<std::string> modules;
};

namespace {

std::set<std::string> adapted_modules(const ModelConfig& config, const std::vector<std::string>& targets) {
  std::set<std::string> modules;
  for (const std::string& target : targets) {
    const std::size_t before = modules.size();
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      for (const LinearModule& module : layer_linear_modules(config, layer)) {
        if (module.kind == target || module.name == target) modules.insert(module.name);
      }
    }
    if (modules.size() == before) {
      throw Error(ErrorCode::kUsage, "lora.target_modules: the model has no linear layer \"" + target +
                                         "\" (q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj)");
    }
  }
  if (modules.empty()) throw Error(ErrorCode::kUsage, "lora.target_modules is empty: nothing would be trained");
  return modules;
}

LoraGroup* group_of(LoraLayer& layer, const std::string& kind) {
  if (kind == "q_proj" || kind == "k_proj" || kind == "v_proj") return &layer.attention_input;
  if (kind == "o_proj") return &layer.attention_output;
  if (kind == "gate_proj" || kind == "up_proj") return &layer.mlp_input;
  return &layer.mlp_output;
}

// Where a module's outputs start within the fused linear layer.
std::int64_t first_output_of(const ModelConfig& config, const std::string& kind) {
  if (kind == "k_proj") return config.heads * config.head_dim;
  if (kind == "v_proj") return (config.heads + config.kv_heads) * config.head_dim;
  if (kind == "up_proj") return config.intermediate_size;
  return 0;
}

}  // namespace

TrainableLora::TrainableLora(const ModelConfig& config, const Plan& plan, at::ScalarType compute_dtype,
                             const at::Device& device)
    : rank_(plan.r),
      lora_alpha_(plan.alpha),
      use_rslora_(plan.use_rslora),
      scale_(plan.scale),
      dropout_(plan.dropout),
      compute_dtype_(compute_dtype),
      layers_(static_cast<std::size_t>(config.layers)) {
  struct Placed {
    LoraGroup* group;
    LinearShape shape;
  };
  std::vector<Placed> placed;
  std::uint32_t number = 0;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    for (const LinearModule& module : layer_linear_modules(config, i)) {
      LoraGroup* group = group_of(layers_[static_cast<std::size_t>(i)], module.kind);
      const std::uint32_t own_number = number++;
      if (plan.modules.count(module.name) == 0) continue;
      LoraPart part;
      part.module = module.name;
      part.number = own_number;
      part.first_output = first_output_of(config, module.kind);
      part.outputs = module.shape.out;
      group->parts.push_back(std::move(part));
      placed.push_back({group, module.shape});
      total += rank_ * (module.shape.in + module.shape.out);
    }
  }
  parameters_ = at::zeros({total}, at::TensorOptions().dtype(at::kFloat).device(device));
  gradients_ = at::zeros_like(parameters_);
  std::int64_t offset = 0;
  const auto take = [&](std::int64_t rows, std::int64_t columns, at::Tensor& value, at::Tensor& gradient) {
    value = parameters_.narrow(0, offset, rows * columns).view({rows, columns});
    gradient = gradients_.narrow(0, offset, rows * columns).view({rows, columns});
    offset += rows * columns;
  };
  for (const Placed& place : placed) {
    LoraGroup& group = *place.group;
    if (group.a.defined()) continue;  // a further module of a group that is laid out already
    take(static_cast<std::int64_t>(group.parts.size()) * rank_, place.shape.in, group.a, group.a_gradient);
    for (LoraPart& part : group.parts) take(part.outputs, rank_, part.b, part.b_gradient);
  }
}

TrainableLora::TrainableLora(const ModelConfig& config, const LoraConfig& lora, std::uint64_t seed,
                             at::ScalarType compute_dtype, const at::Device& device)
    : TrainableLora(config,
                    Plan{lora.r, lora.alpha, false, lora.alpha / static_cast<double>(lora.r), lora.dropout,
                         adapted_modules(config, lora.target_modules)},
                    compute_dtype, device) {
  visit_parts([&](const LoraPart& part, const at::Tensor& a, const at::Tensor&) {
    at::Tensor values = at::empty(a.sizes(), at::kFloat);
    const float bound = 1.0F / std::sqrt(static_cast<float>(a.size(1)));
    float* data = values.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      data[i] = (2 * philox_uniform(seed, static_cast<std::uint64_t>(i), part.number) - 1) * bound;
    }
    a.copy_(values);
  });
  refresh();
}

TrainableLora::TrainableLora(const ModelConfig& config, const PeftAdapter& adapter, double dropout,
                             at::ScalarType compute_dtype, const at::Device& device)
    : TrainableLora(
          config,
          [&] {
            Plan plan{adapter.r, adapter.lora_alpha, adapter.use_rslora, adapter.scale(), dropout, {}};
            for (const auto& [name, matrices] : adapter.modules) plan.modules.insert(name);
            return plan;
          }(),
          compute_dtype, device) {
  visit_parts([&](const LoraPart& part, const at::Tensor& a, const at::Tensor& b) {
    const LoraModule& module = adapter.modules.at(part.module);
    a.copy_(at::from_blob(const_cast<float*>(module.a.data()), a.sizes(), at::kFloat));
    b.copy_(at::from_blob(const_cast<float*>(module.b.data()), b.sizes(), at::kFloat));
  });
  refresh();
}

// Calls visit(part, its rows of A, its B) for every adapted module.
template <typename Visit>
void TrainableLora::visit_parts(const Visit& visit) const {
  for (const LoraLayer& layer : layers_) {
    for (const LoraGroup* group :
         {&layer.attention_input, &layer.attention_output, &layer.mlp_input, &layer.mlp_output}) {
      for (std::size_t i = 0; i < group->parts.size(); ++i) {
        visit(group->parts[i], group->a.narrow(0, static_cast<std::int64_t>(i) * rank_, rank_), group->parts[i].b);
      }
    }
  }
}

std::int64_t TrainableLora::first_adapted_layer() const {
  for (std::int64_t i = 0; i < layers(); ++i) {
    const LoraLayer& one = layer(i);
    if (!one.attention_input.empty() || !one.attention_output.empty() || !one.mlp_input.empty() ||
        !one.mlp_output.empty())
      return i;
  }
  return layers();
}

void TrainableLora::refresh() {
  for (LoraLayer& layer : layers_) {
    for (LoraGroup* group : {&layer.attention_input, &layer.attention_output, &layer.mlp_input, &layer.mlp_output}) {
      if (group->empty()) continue;
      group->a_compute = group->a.to(compute_dtype_);
      for (LoraPart& part : group->parts) part.b_compute = part.b.to(compute_dtype_);
    }
  }
}

PeftAdapter TrainableLora::to_adapter() const {
  PeftAdapter adapter;
  adapter.r = rank_;
  adapter.lora_alpha = lora_alpha_;
  adapter.lora_dropout = dropout_;
  adapter.use_rslora = use_rslora_;
  visit_parts([&](const LoraPart& part, const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor a_values = a.to(at::kCPU).contiguous();
    const at::Tensor b_values = b.to(at::kCPU).contiguous();
    LoraModule& module = adapter.modules[part.module];
    module.in = a.size(1);
    module.out = b.size(0);
    module.a.assign(a_values.const_data_ptr<float>(), a_values.const_data_ptr<float>() + a_values.numel());
    module.b.assign(b_values.const_data_ptr<float>(), b_values.const_data_ptr<float>() + b_values.numel());
  });
  return adapter;
}

std::vector<std::pair<std::string, at::Tensor>> TrainableLora::named_gradients() const {
  std::vector<std::pair<std::string, at::Tensor>> named;
  for (const LoraLayer& layer : layers_) {
    for (const LoraGroup* group :
         {&layer.attention_input, &layer.attention_output, &layer.mlp_input, &layer.mlp_output}) {
      for (std::size_t i = 0; i < group->parts.size(); ++i) {
        const LoraPart& part = group->parts[i];
        named.emplace_back(lora_tensor_name(part.module, 'A'),
                           group->a_gradient.narrow(0, static_cast<std::int64_t>(i) * rank_, rank_));
        named.emplace_back(lora_tensor_name(part.module, 'B'), part.b_gradient);
      }
    }
  }
  std::sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return named;
}

}  // namespace cutd
