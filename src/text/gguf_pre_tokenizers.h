// The pre-tokenizers that GGUF files name in tokenizer.ggml.pre, as tokenizer.json sections. Private to src/text.
#pragma once

#include <string>

#include "core/json.h"

namespace cutd {

struct GgufPreTokenizer {
  Json normalizer;  // null: none
  Json pre_tokenizer;
  bool ignore_merges = false;  // a word that is a token is taken whole, without merging
  bool add_bos = false;        // where the file has no add_bos_token
};

// Names and definitions follow llama.cpp's table and the tokenizer.json of the models themselves; the empty name
// and "default" mean GPT-2's. Throws Error(kBadInput) naming `origin`, the unknown name and all known ones.
GgufPreTokenizer find_gguf_pre_tokenizer(const std::string& name, const std::string& origin);

}  // namespace cutd
