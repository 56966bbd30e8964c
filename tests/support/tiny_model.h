// A random two-layer Llama as a Hugging Face folder, and training data for it: tests of training and serving need
// no golden data. No tokenizer: everything is token ids.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/json.h"
#include "core/random.h"
#include "dataset/manifest.h"
#include "weights/model_config.h"
#include "weights/model_layout.h"
#include "weights/safetensors_writer.h"

namespace cutd {

inline ModelConfig tiny_model_config() {
  ModelConfig config;
  config.architecture = "LlamaForCausalLM";
  config.model_type = "llama";
  config.hidden_size = 32;
  config.intermediate_size = 48;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 8;
  config.vocab_size = 64;
  config.max_position_embeddings = 128;
  config.rms_norm_eps = 1e-5;
  config.eos_token_ids = {2};
  return config;
}

// Norms 1, everything else uniform in +-0.25, by Philox: the same bytes everywhere.
inline void write_tiny_model(const std::filesystem::path& folder, const ModelConfig& config = tiny_model_config()) {
  std::filesystem::create_directories(folder);
  write_file_durably(folder / "config.json", to_json_text(model_config_to_json(config), 1));
  std::vector<std::vector<float>> values;
  std::vector<TensorView> tensors;
  for (const TensorSpec& spec : model_tensor_specs(config)) {
    std::size_t count = 1;
    for (const std::int64_t size : spec.shape) count *= static_cast<std::size_t>(size);
    std::vector<float>& own = values.emplace_back(count, 1.0F);
    for (std::size_t i = 0; spec.shape.size() > 1 && i < count; ++i)
      own[i] = (philox_uniform(7, i, values.size()) - 0.5F) * 0.5F;
    tensors.push_back({spec.name, DType::kF32, spec.shape, {}});
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].bytes = std::as_bytes(std::span(values[i]));
  write_safetensors(folder / "model.safetensors", tensors);
}

inline std::vector<std::int64_t> tiny_ids(std::size_t count, std::uint64_t seed) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(3 + static_cast<std::int64_t>(philox_uniform(seed, i) * 60));
  return ids;
}

// `count` examples of random ids, of different lengths; every third one is satisfactory.
inline std::filesystem::path write_tiny_manifest(const std::filesystem::path& folder, std::size_t count) {
  Manifest manifest{{"tiny", "alpaca", "always"}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    ManifestRow row;
    row.instruction_hash = std::string(1, static_cast<char>('a' + i / 26)) + static_cast<char>('a' + i % 26);
    row.response_hash = "r";
    row.source = "test";
    row.example.kind = i % 3 == 0 ? ExampleKind::kAlignP : ExampleKind::kAlignN;
    row.example.prompt_ids = tiny_ids(5 + i % 7, 100 + i);
    if (row.example.kind == ExampleKind::kAlignN) row.example.prompt_judge_ids = tiny_ids(9 + i % 5, 200 + i);
    row.example.response_ids = tiny_ids(3 + i % 4, 300 + i);
    row.example.response_ids.push_back(2);
    manifest.rows.push_back(std::move(row));
  }
  return write_manifest(folder, manifest);
}

}  // namespace cutd
