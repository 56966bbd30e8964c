// What a GGUF file of the llama architecture says in Hugging Face terms: configuration, tensor names, tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/gguf_tokenizer.h"
#include "weights/gguf.h"
#include "weights/model_config.h"

namespace cutd {

// dtype of the result is F32; the writer sets its own. Error(kBadInput) names file and key: another
// architecture, experts, partial rotary embedding, a rope scaling that config.json cannot express.
ModelConfig gguf_model_config(const GgufFile& file);

// The metadata keys tokenizer.*.
GgufTokenizer gguf_tokenizer(const GgufFile& file);

// Where a Hugging Face tensor lies in the GGUF. llama.cpp stores the rows of q_proj and k_proj of each head
// interleaved (its rotary layout): row 2i+j of a head is row j * head_dim/2 + i in the Hugging Face layout.
struct GgufTensorSource {
  std::string gguf_name;
  std::int64_t permuted_heads = 0;  // heads of a row-permuted tensor; 0: rows as they are
};

// For a name of model_tensor_specs(). Error(kInternal) for any other.
GgufTensorSource gguf_tensor_source(const std::string& hugging_face_name, const ModelConfig& config);

// The row of the GGUF tensor that becomes `row` of a Hugging Face tensor with `rows` rows.
std::int64_t gguf_source_row(const GgufTensorSource& source, std::int64_t row, std::int64_t rows);

// The per-frequency factors that llama.cpp stores for rope type llama3 ("rope_freqs.weight"); head_dim / 2 of them.
std::vector<float> llama3_frequency_factors(const RopeConfig& rope, std::int64_t head_dim);

}  // namespace cutd
