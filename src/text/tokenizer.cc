#include "text/tokenizer.h"

#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "native/cutd_native.h"
#include "text/native_result.h"

namespace cutd {
namespace {

// The tokens that the model's files name, as the text library takes them. A token that is named by role but not
// described is special and matched as written, as in transformers.
std::string extra_tokens_json(const TokenizerConfig& config) {
  Json tokens = Json::array();
  const auto add = [&](const AddedToken& token) {
    tokens.push_back({{"content", token.content},
                      {"special", token.special},
                      {"single_word", token.single_word},
                      {"lstrip", token.lstrip},
                      {"rstrip", token.rstrip},
                      {"normalized", token.normalized}});
  };
  std::set<std::string> described;
  for (const AddedToken& token : config.added_tokens) {
    add(token);
    described.insert(token.content);
  }
  const auto add_undescribed = [&](const std::string& content) {
    if (described.insert(content).second) add({.content = content, .special = true});
  };
  for (const auto& [role, content] : config.named_tokens) add_undescribed(content);
  for (const std::string& content : config.extra_special_tokens) add_undescribed(content);
  return to_json_text(tokens);
}

std::vector<TokenId> widen(std::span<const std::uint32_t> ids) { return {ids.begin(), ids.end()}; }

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const CutdTokenizer> handle, const TokenizerConfig& config)
    : handle_(std::move(handle)),
      vocabulary_size_(static_cast<std::int64_t>(cutd_tokenizer_vocabulary_size(handle_.get()))) {
  const auto id_of = [&](const std::optional<std::string>& token) {
    return token ? token_to_id(*token) : std::nullopt;
  };
  bos_id_ = id_of(config.bos_token);
  eos_id_ = id_of(config.eos_token);
  pad_id_ = id_of(config.pad_token);
  unk_id_ = id_of(config.unk_token);
  NativeResult special;
  special.check(cutd_tokenizer_special_ids(handle_.get(), special.out()), "special tokens");
  special_ids_ = widen(special.ids());

  const std::vector<TokenId> around = encode("", true);
  prepend_bos_ = config.add_bos_token.value_or(false) && bos_id_ && (around.empty() || around.front() != *bos_id_);
  append_eos_ = config.add_eos_token.value_or(false) && eos_id_ && (around.empty() || around.back() != *eos_id_);
}

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json, const TokenizerConfig& config,
                               const std::string& origin) {
  const std::string extra = extra_tokens_json(config);
  CutdTokenizer* raw = nullptr;
  NativeResult result;
  const int code = cutd_tokenizer_new(native_bytes(tokenizer_json), tokenizer_json.size(), native_bytes(extra),
                                      extra.size(), &raw, result.out());
  std::shared_ptr<const CutdTokenizer> handle(raw, [](const CutdTokenizer* tokenizer) {
    if (tokenizer != nullptr) cutd_tokenizer_free(const_cast<CutdTokenizer*>(tokenizer));
  });
  result.check(code, origin);
  return Tokenizer(std::move(handle), config);
}

Tokenizer Tokenizer::from_directory(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "tokenizer.json";
  return from_json(read_file(file), read_tokenizer_config(directory), file.string());
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  NativeResult result;
  const int code =
      cutd_tokenizer_encode(handle_.get(), native_bytes(text), text.size(), add_special_tokens, result.out());
  result.check(code, "cannot tokenise the text");
  return with_configured_ends(result.ids(), add_special_tokens);
}

std::vector<std::vector<TokenId>> Tokenizer::encode_batch(std::span<const std::string> texts,
                                                          bool add_special_tokens) const {
  std::vector<CutdSlice> slices;
  slices.reserve(texts.size());
  for (const std::string& text : texts) slices.push_back({native_bytes(text), text.size()});
  NativeResult result;
  const int code =
      cutd_tokenizer_encode_batch(handle_.get(), slices.data(), slices.size(), add_special_tokens, result.out());
  result.check(code, "cannot tokenise the texts");
  const std::vector<std::uint32_t> packed = result.ids();
  const std::span<const std::uint32_t> lengths = std::span(packed).first(texts.size());
  std::span<const std::uint32_t> rest = std::span(packed).subspan(texts.size());
  std::vector<std::vector<TokenId>> ids;
  ids.reserve(texts.size());
  for (const std::uint32_t length : lengths) {
    ids.push_back(with_configured_ends(rest.first(length), add_special_tokens));
    rest = rest.subspan(length);
  }
  return ids;
}

std::vector<TokenId> Tokenizer::with_configured_ends(std::span<const std::uint32_t> ids,
                                                     bool add_special_tokens) const {
  std::vector<TokenId> result;
  result.reserve(ids.size() + 2);
  if (add_special_tokens && prepend_bos_) result.push_back(*bos_id_);
  result.insert(result.end(), ids.begin(), ids.end());
  if (add_special_tokens && append_eos_) result.push_back(*eos_id_);
  return result;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  NativeResult result;
  const int code = cutd_tokenizer_decode(handle_.get(), ids.data(), ids.size(), skip_special_tokens, result.out());
  result.check(code, "cannot decode the ids");
  return std::string(result.bytes());
}

std::optional<std::string> Tokenizer::id_to_token(TokenId id) const {
  NativeResult result;
  const int code = cutd_tokenizer_token(handle_.get(), id, result.out());
  result.check(code, "token " + std::to_string(id));
  if (code == CUTD_NATIVE_NOT_FOUND) return std::nullopt;
  return std::string(result.bytes());
}

std::optional<TokenId> Tokenizer::token_to_id(std::string_view token) const {
  std::uint32_t id = 0;
  NativeResult result;
  const int code = cutd_tokenizer_id(handle_.get(), native_bytes(token), token.size(), &id, result.out());
  result.check(code, "cannot look up a token");
  if (code == CUTD_NATIVE_NOT_FOUND) return std::nullopt;
  return id;
}

}  // namespace cutd
