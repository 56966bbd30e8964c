// What the tests of the decoder share: small random models, a dense run of ids, golden data where it is there.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/cpu_decoder.h"
#include "model/decoder.h"
#include "support/golden.h"

namespace cutd {

// Sizes that are no multiples of any vector width, three query heads to a key head, every bias.
inline ModelConfig odd_config() {
  ModelConfig config;
  config.architecture = "LlamaForCausalLM";
  config.model_type = "llama";
  config.hidden_size = 54;
  config.intermediate_size = 77;
  config.layers = 2;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_dim = 10;
  config.vocab_size = 301;
  config.max_position_embeddings = 128;
  config.rms_norm_eps = 1e-5;
  config.qkv_bias = true;
  config.attention_output_bias = true;
  config.mlp_bias = true;
  config.eos_token_ids = {2};
  return config;
}

inline std::vector<std::int64_t> some_ids(std::int64_t count, std::int64_t start, std::int64_t vocabulary) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < count; ++i) ids.push_back((start + i * 37) % vocabulary);
  return ids;
}

// Logits of every position of `ids`, run from arena place `slot` in chunks of `chunk` rows.
inline std::vector<std::vector<float>> run_all(Decoder& decoder, const std::vector<std::int64_t>& ids,
                                               std::int64_t slot, std::int64_t chunk, std::int64_t vocabulary) {
  std::vector<std::vector<float>> logits(ids.size(), std::vector<float>(static_cast<std::size_t>(vocabulary)));
  const auto length = static_cast<std::int64_t>(ids.size());
  for (std::int64_t begin = 0; begin < length; begin += chunk) {
    std::vector<DecoderRow> rows;
    std::vector<HeadQuery> queries;
    for (std::int64_t t = begin; t < std::min(begin + chunk, length); ++t) {
      queries.push_back({static_cast<std::int64_t>(rows.size()), -1, logits[static_cast<std::size_t>(t)].data()});
      rows.push_back({ids[static_cast<std::size_t>(t)], slot, t});
    }
    std::vector<HeadResult> results(queries.size());
    decoder.run(rows, queries, results);
  }
  return logits;
}

}  // namespace cutd
