// The parameters that training changes: every LoRA matrix in one flat fp32 tensor, with a gradient of the same
// shape, so that clipping, the optimiser and an all-reduce are single passes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/train_config.h"
#include "weights/model_config.h"
#include "weights/peft.h"

namespace cutd {

// One adapted module: y[:, first_output .. + outputs] += scale * (dropout(x) A^T) B^T.
struct LoraPart {
  std::string module;             // "model.layers.0.mlp.up_proj"
  std::uint32_t number = 0;       // of the module in the model, adapted or not: keys its dropout
  std::int64_t first_output = 0;  // its columns in the fused linear layer's output
  std::int64_t outputs = 0;
  at::Tensor b, b_gradient;  // [outputs, r] fp32 views of the flat tensors
  at::Tensor b_compute;      // b in the type of the base
};

// The adapted modules that share one input; their A matrices lie one after the other.
struct LoraGroup {
  std::vector<LoraPart> parts;  // may be empty: nothing adapted here
  at::Tensor a, a_gradient;     // [parts * r, in] fp32 views
  at::Tensor a_compute;         // a in the type of the base
  bool empty() const { return parts.empty(); }
};

struct LoraLayer {
  LoraGroup attention_input;   // q_proj, k_proj, v_proj on the fused qkv
  LoraGroup attention_output;  // o_proj
  LoraGroup mlp_input;         // gate_proj, up_proj on the fused gate_up
  LoraGroup mlp_output;        // down_proj
};

// One thread at a time. Views stay valid while the object lives; it does not move.
class TrainableLora {
 public:
  // Fresh values: A uniform in +-1/sqrt(in) (Kaiming with a = sqrt 5, as PEFT), from `seed`; B zero. Error(kUsage)
  // naming a target module the model does not have, or when there is none.
  TrainableLora(const ModelConfig& config, const LoraConfig& lora, std::uint64_t seed, at::ScalarType compute_dtype,
                const at::Device& device);
  // Values, rank, scale and modules of `adapter`; the dropout is `dropout`.
  TrainableLora(const ModelConfig& config, const PeftAdapter& adapter, double dropout, at::ScalarType compute_dtype,
                const at::Device& device);
  TrainableLora(const TrainableLora&) = delete;
  TrainableLora& operator=(const TrainableLora&) = delete;

  std::int64_t rank() const { return rank_; }
  double scale() const { return scale_; }
  double dropout() const { return dropout_; }
  const LoraLayer& layer(std::int64_t index) const { return layers_[static_cast<std::size_t>(index)]; }
  std::int64_t layers() const { return static_cast<std::int64_t>(layers_.size()); }
  std::int64_t first_adapted_layer() const;

  at::Tensor& parameters() { return parameters_; }
  at::Tensor& gradients() { return gradients_; }
  // Call after changing parameters(): brings the compute copies up to date.
  void refresh();

  // Present values in PEFT's form; base names are left empty.
  PeftAdapter to_adapter() const;

  // Name of each matrix as PEFT has it ("base_model.model.….lora_A.weight") with its gradient.
  std::vector<std::pair<std::string, at::Tensor>> named_gradients() const;

 private:
  struct Plan;
  TrainableLora(const ModelConfig& config, const Plan& plan, at::ScalarType compute_dtype, const at::Device& device);
  template <typename Visit>
  void visit_parts(const Visit& visit) const;

  std::int64_t rank_;
  double lora_alpha_;
  bool use_rslora_;
  double scale_;
  double dropout_;
  at::ScalarType compute_dtype_;
  at::Tensor parameters_;
  at::Tensor gradients_;
  std::vector<LoraLayer> layers_;
};

}  // namespace cutd
