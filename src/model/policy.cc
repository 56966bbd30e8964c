#include "model/policy.h"

#include "weights/fingerprint.h"
#include "weights/model_layout.h"

namespace cutd {
namespace {

DecoderWeights load_checked(const std::filesystem::path& model_dir, const ModelTensors& tensors, at::ScalarType dtype,
                            const at::Device& device) {
  const ModelConfig config = read_model_config(model_dir);
  check_model_tensors(config, tensors, model_dir.string());
  return load_decoder_weights(config, tensors, dtype, device);
}

}  // namespace

Policy::Policy(const std::filesystem::path& model_dir, at::ScalarType dtype, const at::Device& device)
    : model_dir_(model_dir), tensors_(model_dir), weights_(load_checked(model_dir, tensors_, dtype, device)) {}

void Policy::set_adapter(const std::filesystem::path& adapter_dir) {
  if (adapter_dir.empty()) {
    if (!identity_.empty()) fold(nullptr);
    identity_.clear();
    return;
  }
  const PeftAdapter adapter = read_adapter(adapter_dir, weights_.config);
  if (!adapter.base_model_hash.empty()) {
    if (base_hash_.empty()) base_hash_ = model_fingerprint(model_dir_);
    check_adapter_base(adapter, base_hash_, adapter_dir.string());
  }
  const std::string identity = adapter_hash(adapter);
  if (identity == identity_) return;
  set_adapter(lora_from_adapter(adapter, weights_.device), identity);
}

void Policy::set_adapter(const LoraAdapter& adapter, const std::string& identity) {
  for (const auto& [module, matrices] : adapter.modules)
    module_weight(weights_, module);  // all known before any change
  fold(&adapter);
  identity_ = identity;
}

void Policy::fold(const LoraAdapter* adapter) {
  const at::NoGradGuard no_grad;
  std::set<std::string> modules = folded_;
  if (adapter != nullptr) {
    for (const auto& [module, matrices] : adapter->modules) modules.insert(module);
  }
  identity_ = "incomplete";  // until every matrix is written
  std::set<std::string> folded;
  for (const std::string& module : modules) {
    const at::Tensor target = module_weight(weights_, module);
    const TensorView& original = tensors_.at(module + ".weight");
    const auto found =
        adapter == nullptr ? std::map<std::string, LoraMatrices>::const_iterator() : adapter->modules.find(module);
    if (adapter == nullptr || found == adapter->modules.end()) {
      copy_into(target, original);
      continue;
    }
    at::Tensor sum = at::empty(target.sizes(), target.options().dtype(at::kFloat));
    copy_into(sum, original);
    target.copy_(sum.add_(lora_delta(*adapter, found->second)));
    folded.insert(module);
  }
  folded_ = std::move(folded);
}

}  // namespace cutd
