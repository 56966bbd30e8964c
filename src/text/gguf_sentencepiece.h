// SentencePiece BPE vocabularies in GGUF (tokenizer.ggml.model = "llama") as byte-fallback BPE of `tokenizers`,
// the conversion transformers uses for Llama and Gemma. Such a vocabulary has scores instead of merges.
// Unigram SentencePiece models and character-map normalisation (T5, ALBERT) are not expressible so and do not
// occur under that name. Private to src/text.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "core/json.h"
#include "text/gguf_tokenizer.h"

namespace cutd {

using GgufVocabulary = std::unordered_map<std::string, std::int64_t>;  // token -> id

// Every way to put a token together from two others, best score first; ties: longer left, longer right part,
// then the order of transformers' generate_merges(). Control, unknown and byte tokens take no part.
// Throws Error(kBadInput) naming `origin` when scores are missing or not finite.
Json sentencepiece_merges(const GgufTokenizer& gguf, const GgufVocabulary& ids, const std::string& origin);

// Spaces become U+2581; with `space_prefix` one is put before the text and taken off again by the decoder.
Json sentencepiece_normalizer(bool space_prefix);
Json sentencepiece_decoder(bool space_prefix);

}  // namespace cutd
