// Text of a growing sequence of ids, as it can be shown while a model generates.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "text/tokenizer.h"

struct CutdDecoder;

namespace cutd {

// Emits each character once it is certain. Guarantees: no emitted piece holds part of a character, and all
// pieces with finish() concatenate to Tokenizer::decode of all ids, byte for byte. Work per token is constant
// for byte-level and SentencePiece decoders (other kinds decode the whole prefix again).
// A piece may be empty (a character's first bytes) or cover several tokens. Movable; one thread at a time.
class IncrementalDecoder {
 public:
  explicit IncrementalDecoder(const Tokenizer& tokenizer, bool skip_special_tokens = true);

  // The text that `id` (or `ids`) made certain. Error(kBadInput) for negative ids.
  std::string push(TokenId id);
  std::string push(std::span<const TokenId> ids);

  // What was held back: bytes that never became a character are U+FFFD. The decoder starts anew afterwards.
  std::string finish();

 private:
  struct Free {
    void operator()(CutdDecoder* decoder) const;
  };
  std::unique_ptr<CutdDecoder, Free> decoder_;
};

}  // namespace cutd
