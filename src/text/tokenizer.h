// Text to token ids and back, exactly as the Hugging Face `tokenizers` library does it (it is that library,
// behind native/cutd_native.h). Start here; streaming output is incremental_decoder.h, chats are
// chat_template.h, tokenizers inside GGUF files are gguf_tokenizer.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_config.h"

struct CutdTokenizer;

namespace cutd {

using TokenId = std::int64_t;

// A tokenizer, complete once built. Copies share one immutable handle and are cheap. Every member is const
// and may be called from several threads at once.
class Tokenizer {
 public:
  // `tokenizer_json`: bytes of a tokenizer.json. `config`: what tokenizer_config.json adds to it (special
  // tokens, BOS and EOS on encode). Truncation and padding settings in the file are ignored.
  // Throws Error(kBadInput) naming `origin` and the defect (bad JSON, merge, regular expression, id …).
  static Tokenizer from_json(std::string_view tokenizer_json, const TokenizerConfig& config, const std::string& origin);

  // tokenizer.json, tokenizer_config.json and special_tokens_map.json of a model folder; the last two may be
  // absent. Throws Error (kNotFound, kBadInput, kIo) naming the file.
  static Tokenizer from_directory(const std::filesystem::path& directory);

  // Ids of UTF-8 text. Special tokens written out in the text become their ids either way;
  // `add_special_tokens` adds BOS and EOS as tokenizer.json's post-processor does, and where it does not but
  // tokenizer_config.json says add_bos_token or add_eos_token (false there never removes one; transformers 5
  // ignores both keys). Rendered chats are encoded without.
  // Throws Error(kBadInput) for text that is not UTF-8.
  std::vector<TokenId> encode(std::string_view text, bool add_special_tokens) const;

  // encode() of many texts, in parallel on all cores (RAYON_NUM_THREADS limits them).
  std::vector<std::vector<TokenId>> encode_batch(std::span<const std::string> texts, bool add_special_tokens) const;

  // Text of ids; always valid UTF-8 (bytes that form no character become U+FFFD). Ids the vocabulary lacks
  // contribute nothing, as in Hugging Face; a negative id is Error(kBadInput).
  std::string decode(std::span<const TokenId> ids, bool skip_special_tokens) const;

  // The vocabulary's own spelling of a token ("Ġthe"), and back.
  std::optional<std::string> id_to_token(TokenId id) const;
  std::optional<TokenId> token_to_id(std::string_view token) const;

  // Number of entries including added tokens. A model's embedding may have more rows (padding).
  std::int64_t vocabulary_size() const { return vocabulary_size_; }

  // Ids of bos_token, eos_token, pad_token, unk_token of the model's files, where named and known.
  std::optional<TokenId> bos_id() const { return bos_id_; }
  std::optional<TokenId> eos_id() const { return eos_id_; }
  std::optional<TokenId> pad_id() const { return pad_id_; }
  std::optional<TokenId> unk_id() const { return unk_id_; }

  // All ids that decode(…, skip_special_tokens = true) leaves out, ascending.
  const std::vector<TokenId>& special_ids() const { return special_ids_; }

 private:
  friend class IncrementalDecoder;
  Tokenizer(std::shared_ptr<const CutdTokenizer> handle, const TokenizerConfig& config);

  std::vector<TokenId> with_configured_ends(std::span<const std::uint32_t> ids, bool add_special_tokens) const;

  std::shared_ptr<const CutdTokenizer> handle_;
  std::int64_t vocabulary_size_ = 0;
  std::optional<TokenId> bos_id_;
  std::optional<TokenId> eos_id_;
  std::optional<TokenId> pad_id_;
  std::optional<TokenId> unk_id_;
  std::vector<TokenId> special_ids_;
  // add_bos_token and add_eos_token of tokenizer_config.json, where tokenizer.json does not do it itself.
  bool prepend_bos_ = false;
  bool append_eos_ = false;
};

}  // namespace cutd
