// The model of a round: the original base plus at most one cumulative adapter, folded into the weights.
// Weights stay resident; changing the adapter rewrites only the matrices that the old or the new adapter
// touches, always as W = round(W0 + scale B A) from the original W0 (its mapped file) in fp32, never fold on
// fold. So any sequence of adapters gives the same bits as loading the last one at once.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "model/decoder_weights.h"
#include "model/lora.h"

namespace cutd {

// One thread at a time. The model folder's tensor files must stay unchanged while the object lives.
class Policy {
 public:
  // The base itself. Errors as load_decoder_weights.
  Policy(const std::filesystem::path& model_dir, at::ScalarType dtype, const at::Device& device);

  // Makes this base + `adapter_dir` (empty: the base). Nothing happens when it already is. On an error
  // (unusable adapter folder, an adapter that names another base) the policy is as before.
  void set_adapter(const std::filesystem::path& adapter_dir);

  // The same for an adapter in memory; `identity` names it (adapter_hash).
  void set_adapter(const LoraAdapter& adapter, const std::string& identity);

  const DecoderWeights& weights() const { return weights_; }
  const ModelConfig& config() const { return weights_.config; }
  const std::filesystem::path& model_dir() const { return model_dir_; }
  const std::string& adapter_identity() const { return identity_; }  // adapter_hash; empty: the base

 private:
  void fold(const LoraAdapter* adapter);

  const std::filesystem::path model_dir_;
  const ModelTensors tensors_;
  DecoderWeights weights_;
  std::string identity_;
  std::string base_hash_;         // model_fingerprint; empty until an adapter names its base
  std::set<std::string> folded_;  // modules that differ from the base
};

}  // namespace cutd
