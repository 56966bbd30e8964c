// LoRA adapters in PEFT's folder layout (adapter_config.json + adapter_model.safetensors): read strictly,
// write deterministically, add two exactly. A module computes W x + scale * B (A dropout(x)).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "weights/model_config.h"

namespace cutd {

struct LoraModule {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::vector<float> a;  // [r, in] row-major
  std::vector<float> b;  // [out, r] row-major
};

// Named so because core/domain.h has `Adapter`, the row of the store; both are linked into cutd.
struct PeftAdapter {
  std::int64_t r = 0;
  double lora_alpha = 0;
  double lora_dropout = 0;
  bool use_rslora = false;
  std::string base_model_name_or_path;        // for people and PEFT; not part of adapter_hash
  std::string base_model_hash;                // model_fingerprint of the base, or empty; in the tensor file's metadata
  std::map<std::string, LoraModule> modules;  // "model.layers.0.mlp.down_proj" -> matrices

  // What multiplies B A: alpha / r, or alpha / sqrt(r) with rsLoRA.
  double scale() const;
  // "down_proj", "gate_proj", ...: last parts of the module names, sorted, each once.
  std::vector<std::string> target_modules() const;
};

// Name of a matrix in adapter_model.safetensors: "base_model.model.<module>.lora_A.weight" (which: 'A' or 'B').
std::string lora_tensor_name(const std::string& module, char which);

// Reads and checks a folder against the model it is for. Error(kBadInput) names the file and the key or tensor:
// a feature that would change the result and is not supported (DoRA, patterns, bias, modules_to_save, ...), a
// module the model does not have, half a pair, wrong shape, non-finite value. Unknown keys are ignored unless
// they switch something on that PEFT calls by one of the refused names. F16/BF16 become fp32.
PeftAdapter read_adapter(const std::filesystem::path& directory, const ModelConfig& config);

// Error(kBadInput) naming `origin` when the adapter says which base it was trained on and that is not `base_hash`
// (a model_fingerprint). An adapter from elsewhere says nothing and passes.
void check_adapter_base(const PeftAdapter& adapter, const std::string& base_hash, const std::string& origin);

// Writes both files into `directory` (made if needed), durably and with the same bytes for the same adapter.
// Publishing the folder as a whole is the caller's (publish_directory).
void write_adapter(const std::filesystem::path& directory, const PeftAdapter& adapter);

// The adapter that does what both together do: A = [A_parent; A_delta], B = [s_parent B_parent, s_delta B_delta],
// r = lora_alpha = r_parent + r_delta, so scale 1. fp32; a module only one of them has gets zeros for the other.
// Dropout is the delta's. Error(kBadInput) when the two are for different bases or shapes.
PeftAdapter concatenate_adapters(const PeftAdapter& parent, const PeftAdapter& delta);

// Identity of an adapter: SHA-256 over ranks, scale, names, shapes and values. Where it lies and what its base
// is called do not enter.
std::string adapter_hash(const PeftAdapter& adapter);

}  // namespace cutd
