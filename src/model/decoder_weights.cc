#include "model/decoder_weights.h"

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "model/cuda_runtime.h"
#include "model/huge_buffer.h"
#include "weights/model_layout.h"

namespace cutd {
namespace {

constexpr std::int64_t kAlignment = 64;  // elements between starts of tensors: whole cache lines

// One block of memory that all tensors of a model are cut from.
class WeightArena {
 public:
  WeightArena(std::int64_t elements, at::ScalarType dtype, const at::Device& device) {
    const auto options = at::TensorOptions().dtype(dtype).device(device);
    if (!device.is_cpu()) {
      try {
        block_ = at::empty({elements}, options);
      } catch (const c10::OutOfMemoryError&) {
        throw Error(ErrorCode::kResource, "the model's " + std::to_string(elements) +
                                              " parameters do not fit into the memory of " + device.str());
      }
      return;
    }
    auto memory =
        std::make_shared<HugeBuffer>(static_cast<std::size_t>(elements) * at::elementSize(dtype), "the model");
    void* data = memory->data();
    block_ = at::from_blob(
        data, {elements}, [memory](void*) mutable { memory.reset(); }, options);
  }

  at::Tensor take(std::vector<std::int64_t> shape) {
    const at::Tensor tensor = block_.narrow(0, used_, size_of(shape)).view(shape);
    used_ += padded(shape);
    return tensor;
  }

  static std::int64_t size_of(const std::vector<std::int64_t>& shape) {
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    return size;
  }
  static std::int64_t padded(const std::vector<std::int64_t>& shape) {
    return (size_of(shape) + kAlignment - 1) / kAlignment * kAlignment;
  }

 private:
  at::Tensor block_;
  std::int64_t used_ = 0;
};

// Empty tensors of the right shapes, in the order in which a step reads them.
DecoderWeights allocate_weights(const ModelConfig& config, at::ScalarType dtype, const at::Device& device) {
  std::int64_t elements = 0;
  for (const TensorSpec& spec : model_tensor_specs(config)) elements += WeightArena::padded(spec.shape);
  WeightArena arena(elements, dtype, device);
  const std::int64_t query = config.heads * config.head_dim;
  const std::int64_t qkv = query + 2 * config.kv_heads * config.head_dim;
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t inner = config.intermediate_size;
  const auto bias = [&](bool present, std::int64_t size) { return present ? arena.take({size}) : at::Tensor(); };
  DecoderWeights weights{config, device, dtype, {}, {}, {}, {}};
  for (std::int64_t i = 0; i < config.layers; ++i) {
    LayerWeights layer;
    layer.attention_norm = arena.take({hidden});
    layer.qkv = arena.take({qkv, hidden});
    layer.qkv_bias = bias(config.qkv_bias, qkv);
    layer.output = arena.take({hidden, query});
    layer.output_bias = bias(config.attention_output_bias, hidden);
    layer.mlp_norm = arena.take({hidden});
    layer.gate_up = arena.take({2 * inner, hidden});
    layer.gate_up_bias = bias(config.mlp_bias, 2 * inner);
    layer.down = arena.take({hidden, inner});
    layer.down_bias = bias(config.mlp_bias, hidden);
    weights.layers.push_back(std::move(layer));
  }
  weights.final_norm = arena.take({hidden});
  weights.embedding = arena.take({config.vocab_size, hidden});
  weights.head = config.tie_word_embeddings ? weights.embedding : arena.take({config.vocab_size, hidden});
  return weights;
}

// Where a module's rows lie in its fused matrix (or bias).
struct FusedPart {
  const at::Tensor* tensor;
  std::int64_t first;
  std::int64_t rows;
};

FusedPart fused_part(const ModelConfig& config, const LayerWeights& layer, const std::string& kind, bool bias) {
  const std::int64_t query = config.heads * config.head_dim;
  const std::int64_t key = config.kv_heads * config.head_dim;
  const std::int64_t inner = config.intermediate_size;
  const at::Tensor* qkv = bias ? &layer.qkv_bias : &layer.qkv;
  const at::Tensor* gate_up = bias ? &layer.gate_up_bias : &layer.gate_up;
  if (kind == "q_proj") return {qkv, 0, query};
  if (kind == "k_proj") return {qkv, query, key};
  if (kind == "v_proj") return {qkv, query + key, key};
  if (kind == "o_proj") return {bias ? &layer.output_bias : &layer.output, 0, config.hidden_size};
  if (kind == "gate_proj") return {gate_up, 0, inner};
  if (kind == "up_proj") return {gate_up, inner, inner};
  if (kind == "down_proj") return {bias ? &layer.down_bias : &layer.down, 0, config.hidden_size};
  return {nullptr, 0, 0};
}

at::Tensor part_view(const FusedPart& part) { return part.tensor->narrow(0, part.first, part.rows); }

}  // namespace

std::int64_t DecoderWeights::parameters() const {
  std::int64_t total = 0;
  for (const TensorSpec& spec : model_tensor_specs(config)) total += WeightArena::size_of(spec.shape);
  return total;
}

std::int64_t DecoderWeights::bytes() const { return parameters() * static_cast<std::int64_t>(at::elementSize(dtype)); }

void copy_into(const at::Tensor& target, const TensorView& source) {
  const std::optional<at::ScalarType> type = source.dtype == DType::kF32    ? std::optional(at::kFloat)
                                             : source.dtype == DType::kBF16 ? std::optional(at::kBFloat16)
                                             : source.dtype == DType::kF16  ? std::optional(at::kHalf)
                                             : source.dtype == DType::kF64  ? std::optional(at::kDouble)
                                                                            : std::nullopt;
  if (!type)
    throw Error(ErrorCode::kBadInput, "tensor " + source.name + " has type " + dtype_name(source.dtype) +
                                          ", which is not one of F64, F32, F16, BF16");
  if (target.is_cuda()) {
    const bool same = target.scalar_type() == *type;  // else it is converted on the device
    const at::Tensor landing = same ? target : at::empty(target.sizes(), target.options().dtype(*type));
    CudaRuntime::instance().plugin().upload(target.device().index(), landing.data_ptr(), source.bytes.data(),
                                            source.bytes.size());
    if (!same) target.copy_(landing);
    return;
  }
  // Offsets in a file need not be multiples of the element size; LibTorch wants them to be.
  const bool aligned = reinterpret_cast<std::uintptr_t>(source.bytes.data()) % at::elementSize(*type) == 0;
  at::Tensor values;
  if (aligned) {
    values =
        at::from_blob(const_cast<std::byte*>(source.bytes.data()), target.sizes(), at::TensorOptions().dtype(*type));
  } else {
    values = at::empty(target.sizes(), at::TensorOptions().dtype(*type));
    std::memcpy(values.data_ptr(), source.bytes.data(), source.bytes.size());
  }
  target.copy_(values);
}

DecoderWeights load_decoder_weights(const ModelConfig& config, const ModelTensors& tensors, at::ScalarType dtype,
                                    const at::Device& device) {
  const at::NoGradGuard no_grad;
  DecoderWeights weights = allocate_weights(config, dtype, device);
  copy_into(weights.embedding, tensors.at("model.embed_tokens.weight"));
  copy_into(weights.final_norm, tensors.at("model.norm.weight"));
  if (!config.tie_word_embeddings) copy_into(weights.head, tensors.at("lm_head.weight"));
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const LayerWeights& layer = weights.layers[static_cast<std::size_t>(i)];
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    copy_into(layer.attention_norm, tensors.at(prefix + "input_layernorm.weight"));
    copy_into(layer.mlp_norm, tensors.at(prefix + "post_attention_layernorm.weight"));
    for (const LinearModule& module : layer_linear_modules(config, i)) {
      copy_into(part_view(fused_part(config, layer, module.kind, false)), tensors.at(module.name + ".weight"));
      const FusedPart bias = fused_part(config, layer, module.kind, true);
      if (bias.tensor->defined()) copy_into(part_view(bias), tensors.at(module.name + ".bias"));
    }
  }
  return weights;
}

DecoderWeights load_decoder_weights(const std::filesystem::path& model_dir, at::ScalarType dtype,
                                    const at::Device& device) {
  const ModelConfig config = read_model_config(model_dir);
  const ModelTensors tensors(model_dir);
  check_model_tensors(config, tensors, model_dir.string());
  return load_decoder_weights(config, tensors, dtype, device);
}

DecoderWeights random_decoder_weights(const ModelConfig& config, at::ScalarType dtype, const at::Device& device,
                                      std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  DecoderWeights weights = allocate_weights(config, dtype, device);
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  const auto fill = [&](const at::Tensor& tensor, double deviation) {
    if (tensor.defined()) tensor.normal_(0, deviation, generator);
  };
  const double deviation = 1 / std::sqrt(static_cast<double>(config.hidden_size));
  fill(weights.embedding, 1);
  if (!config.tie_word_embeddings) fill(weights.head, deviation);
  weights.final_norm.fill_(1);
  for (const LayerWeights& layer : weights.layers) {
    layer.attention_norm.fill_(1);
    layer.mlp_norm.fill_(1);
    for (const at::Tensor& matrix : {layer.qkv, layer.output, layer.gate_up, layer.down}) fill(matrix, deviation);
    for (const at::Tensor& bias : {layer.qkv_bias, layer.output_bias, layer.gate_up_bias, layer.down_bias})
      fill(bias, 0.1);
  }
  return weights;
}

at::Tensor module_weight(const DecoderWeights& weights, const std::string& module) {
  for (std::int64_t i = 0; i < weights.config.layers; ++i) {
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    if (module.rfind(prefix, 0) != 0) continue;
    for (const LinearModule& known : layer_linear_modules(weights.config, i)) {
      if (known.name != module) continue;
      return part_view(fused_part(weights.config, weights.layers[static_cast<std::size_t>(i)], known.kind, false));
    }
  }
  throw Error(ErrorCode::kBadInput, "the model has no linear module \"" + module + "\"");
}

}  // namespace cutd
