// From the vocabulary inside a GGUF file to the tokenizer files of a Hugging Face model folder.
// A GGUF stores tokens, types, scores and merges, and only the *name* of its pre-tokenizer; the table of
// those names is here. Pure: no file is read or written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cutd {

// Values of tokenizer.ggml.token_type.
enum class GgufTokenType : std::int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,      // special: matched whole in text, dropped by decode(skip_special_tokens)
  kUserDefined = 4,  // matched whole in text, kept by decode
  kUnused = 5,
  kByte = 6,  // "<0xNN>" of a SentencePiece vocabulary with byte fallback
};

// The metadata keys tokenizer.ggml.* (named beside each member) and tokenizer.chat_template.
struct GgufTokenizer {
  std::string model;                      // model: "gpt2" (byte-level BPE) or "llama" (SentencePiece)
  std::string pre;                        // pre; empty when the key is absent
  std::vector<std::string> tokens;        // tokens: index = token id
  std::vector<std::int32_t> token_types;  // token_type: as GgufTokenType, one per token; may be empty
  std::vector<float> scores;              // scores: one per token; "llama" only, otherwise may be empty
  std::vector<std::string> merges;        // merges: "left right" in order of rank; "gpt2" only
  std::optional<std::int64_t> bos_id;     // bos_token_id
  std::optional<std::int64_t> eos_id;     // eos_token_id
  std::optional<std::int64_t> unk_id;     // unknown_token_id
  std::optional<std::int64_t> pad_id;     // padding_token_id
  std::optional<bool> add_bos;            // add_bos_token
  std::optional<bool> add_eos;            // add_eos_token
  std::optional<bool> add_space_prefix;   // add_space_prefix; "llama" only, default true
  std::string chat_template;              // tokenizer.chat_template; empty when absent
  std::int64_t context_length = 0;        // <arch>.context_length, becomes model_max_length; 0 = unknown
};

// Texts of the three files, each ending in a newline.
struct TokenizerFiles {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::string special_tokens_map_json;
};

// Throws Error(kBadInput) naming `origin` (the GGUF's path) and the culprit: an unknown model or
// pre-tokenizer (with the list of known ones), duplicate tokens, a merge whose parts or result are no
// tokens, an id outside the vocabulary, arrays of different lengths.
TokenizerFiles build_tokenizer_files(const GgufTokenizer& gguf, const std::string& origin);

}  // namespace cutd
