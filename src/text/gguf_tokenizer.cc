#include "text/gguf_tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/json.h"
#include "text/gguf_pre_tokenizers.h"
#include "text/gguf_sentencepiece.h"

namespace cutd {
namespace {

[[noreturn]] void refuse(const std::string& origin, const std::string& why) {
  throw Error(ErrorCode::kBadInput, origin + ": " + why);
}

void check_arrays(const GgufTokenizer& gguf, const std::string& origin) {
  const std::size_t count = gguf.tokens.size();
  if (count == 0) refuse(origin, "tokenizer.ggml.tokens is missing or empty");
  if (!gguf.token_types.empty() && gguf.token_types.size() != count) {
    refuse(origin, "tokenizer.ggml.token_type has " + std::to_string(gguf.token_types.size()) + " entries for " +
                       std::to_string(count) + " tokens");
  }
  if (!gguf.scores.empty() && gguf.scores.size() != count) {
    refuse(origin, "tokenizer.ggml.scores has " + std::to_string(gguf.scores.size()) + " entries for " +
                       std::to_string(count) + " tokens");
  }
  for (std::size_t id = 0; id < gguf.token_types.size(); ++id) {
    const std::int32_t type = gguf.token_types[id];
    if (type < 1 || type > 6) {
      refuse(origin, "tokenizer.ggml.token_type[" + std::to_string(id) + "] = " + std::to_string(type) + " is unknown");
    }
  }
}

void check_special_ids(const GgufTokenizer& gguf, const std::string& origin) {
  for (const auto& [key, id] :
       {std::pair{"bos_token_id", gguf.bos_id}, std::pair{"eos_token_id", gguf.eos_id},
        std::pair{"unknown_token_id", gguf.unk_id}, std::pair{"padding_token_id", gguf.pad_id}}) {
    if (id && (*id < 0 || *id >= static_cast<std::int64_t>(gguf.tokens.size()))) {
      refuse(origin, std::string("tokenizer.ggml.") + key + " = " + std::to_string(*id) +
                         " is outside the vocabulary of " + std::to_string(gguf.tokens.size()));
    }
  }
}

GgufVocabulary index_tokens(const GgufTokenizer& gguf, const std::string& origin) {
  GgufVocabulary ids;
  ids.reserve(gguf.tokens.size());
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    const auto [entry, fresh] = ids.emplace(gguf.tokens[id], static_cast<std::int64_t>(id));
    if (!fresh) {
      refuse(origin, "tokens " + std::to_string(entry->second) + " and " + std::to_string(id) + " are both \"" +
                         gguf.tokens[id] + "\"");
    }
  }
  return ids;
}

GgufTokenType type_of(const GgufTokenizer& gguf, std::size_t id) {
  return gguf.token_types.empty() ? GgufTokenType::kNormal : static_cast<GgufTokenType>(gguf.token_types[id]);
}

bool is_special(const GgufTokenizer& gguf, std::size_t id) {
  const auto is = [&](const std::optional<std::int64_t>& role) { return role == static_cast<std::int64_t>(id); };
  const GgufTokenType type = type_of(gguf, id);
  return type == GgufTokenType::kControl || type == GgufTokenType::kUnknown || is(gguf.bos_id) || is(gguf.eos_id) ||
         is(gguf.unk_id) || is(gguf.pad_id);
}

// Tokens that are matched whole in text, as entries of "added_tokens".
Json added_tokens(const GgufTokenizer& gguf) {
  Json tokens = Json::array();
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    const bool special = is_special(gguf, id);
    if (gguf.tokens[id].empty() || (!special && type_of(gguf, id) != GgufTokenType::kUserDefined)) continue;
    tokens.push_back({{"id", id},
                      {"content", gguf.tokens[id]},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", special}});
  }
  return tokens;
}

// An object of many keys. The ordered map's own insertion looks through all earlier keys.
Json vocabulary_object(const GgufTokenizer& gguf) {
  Json vocabulary = Json::object();
  auto& members = vocabulary.get_ref<Json::object_t&>();
  members.reserve(gguf.tokens.size());
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) members.emplace_back(gguf.tokens[id], id);
  return vocabulary;
}

Json byte_level_merges(const GgufTokenizer& gguf, const GgufVocabulary& ids, const std::string& origin) {
  Json merges = Json::array();
  for (std::size_t rank = 0; rank < gguf.merges.size(); ++rank) {
    const std::string& merge = gguf.merges[rank];
    const std::string where = "tokenizer.ggml.merges[" + std::to_string(rank) + "] = \"" + merge + "\"";
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string::npos || space + 1 == merge.size()) refuse(origin, where + " is not \"left right\"");
    const std::string left = merge.substr(0, space);
    const std::string right = merge.substr(space + 1);
    for (const std::string& part : {left, right, left + right}) {
      if (!ids.contains(part)) refuse(origin, where + ": \"" + part + "\" is not in the vocabulary");
    }
    merges.push_back(Json::array({left, right}));
  }
  return merges;
}

// BOS and EOS around a text; where neither is added, `otherwise`.
Json post_processor(const GgufTokenizer& gguf, bool add_bos, bool add_eos, const Json& otherwise) {
  if (!add_bos && !add_eos) return otherwise;
  Json single = Json::array();
  Json special = Json::object();
  const auto add = [&](std::int64_t id) {
    const std::string& token = gguf.tokens[static_cast<std::size_t>(id)];
    single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
    special[token] = {{"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}};
  };
  if (add_bos) add(*gguf.bos_id);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (add_eos) add(*gguf.eos_id);
  Json pair = single;
  for (const Json& piece : single) {
    Json second = piece;
    for (auto& [kind, content] : second.items()) {
      content["type_id"] = 1;
      if (kind == "Sequence") content["id"] = "B";
    }
    pair.push_back(second);
  }
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
}

Json bpe_model(const Json& merges) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", nullptr},
          {"merges", merges}};
}

// The sections that depend on the kind of tokenizer.
struct Pipeline {
  Json normalizer;
  Json pre_tokenizer;
  Json decoder;
  Json post_processor;  // where neither BOS nor EOS is added
  Json model;
  bool add_bos = false;
};

Pipeline byte_level_pipeline(const GgufTokenizer& gguf, const GgufVocabulary& ids, const std::string& origin) {
  const GgufPreTokenizer pre = find_gguf_pre_tokenizer(gguf.pre, origin);
  if (gguf.merges.empty()) refuse(origin, "tokenizer.ggml.merges is missing or empty");
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  Json model = bpe_model(byte_level_merges(gguf, ids, origin));
  model["ignore_merges"] = pre.ignore_merges;
  return {pre.normalizer, pre.pre_tokenizer, byte_level, byte_level, model, pre.add_bos};
}

Pipeline sentencepiece_pipeline(const GgufTokenizer& gguf, const GgufVocabulary& ids, const std::string& origin) {
  const bool space_prefix = gguf.add_space_prefix.value_or(true);
  Json model = bpe_model(sentencepiece_merges(gguf, ids, origin));
  model["fuse_unk"] = true;
  model["byte_fallback"] = ids.contains("<0x00>");
  if (gguf.unk_id) model["unk_token"] = gguf.tokens[static_cast<std::size_t>(*gguf.unk_id)];
  return {sentencepiece_normalizer(space_prefix), Json(), sentencepiece_decoder(space_prefix), Json(), model, true};
}

Json config_json(const GgufTokenizer& gguf, const Json& added, const Json& roles, bool add_bos, bool add_eos) {
  Json decoder = Json::object();
  for (Json token : added) {
    const std::string id = std::to_string(token.at("id").get<std::int64_t>());
    token.erase("id");
    decoder[id] = token;
  }
  Json config = {{"add_bos_token", add_bos}, {"add_eos_token", add_eos}, {"added_tokens_decoder", decoder}};
  config.update(roles);
  if (!gguf.chat_template.empty()) config["chat_template"] = gguf.chat_template;
  config["clean_up_tokenization_spaces"] = false;
  if (gguf.context_length > 0) config["model_max_length"] = gguf.context_length;
  // Not GPT2Tokenizer: transformers 5 would then rebuild the pre-tokenizer and ignore the one written here.
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return config;
}

// Invalid UTF-8 in a token is the file's defect, not ours to repair.
std::string dump(const Json& value, int indent, const std::string& origin) {
  try {
    return value.dump(indent) + "\n";
  } catch (const nlohmann::json::exception& error) {
    refuse(origin, std::string("tokenizer.ggml metadata is not UTF-8: ") + error.what());
  }
}

}  // namespace

TokenizerFiles build_tokenizer_files(const GgufTokenizer& gguf, const std::string& origin) {
  check_arrays(gguf, origin);
  check_special_ids(gguf, origin);
  if (gguf.model != "gpt2" && gguf.model != "llama") {
    refuse(origin, "unknown tokenizer tokenizer.ggml.model = \"" + gguf.model +
                       "\"; known are gpt2 (byte-level BPE) and llama (SentencePiece BPE). "
                       "Take tokenizer.json from the model's original folder instead.");
  }
  const GgufVocabulary ids = index_tokens(gguf, origin);
  Pipeline pipeline =
      gguf.model == "gpt2" ? byte_level_pipeline(gguf, ids, origin) : sentencepiece_pipeline(gguf, ids, origin);
  const bool add_bos = gguf.add_bos.value_or(pipeline.add_bos) && gguf.bos_id;
  const bool add_eos = gguf.add_eos.value_or(false) && gguf.eos_id;
  const Json added = added_tokens(gguf);

  Json roles = Json::object();
  const auto name_role = [&](const char* role, const std::optional<std::int64_t>& id) {
    if (id) roles[role] = gguf.tokens[static_cast<std::size_t>(*id)];
  };
  name_role("bos_token", gguf.bos_id);
  name_role("eos_token", gguf.eos_id);
  name_role("unk_token", gguf.unk_id);
  name_role("pad_token", gguf.pad_id);

  Json tokenizer = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added}};
  tokenizer["normalizer"] = std::move(pipeline.normalizer);
  tokenizer["pre_tokenizer"] = std::move(pipeline.pre_tokenizer);
  tokenizer["post_processor"] = post_processor(gguf, add_bos, add_eos, pipeline.post_processor);
  tokenizer["decoder"] = std::move(pipeline.decoder);
  tokenizer["model"] = std::move(pipeline.model);
  tokenizer["model"]["vocab"] = vocabulary_object(gguf);
  return {dump(tokenizer, -1, origin), dump(config_json(gguf, added, roles, add_bos, add_eos), 2, origin),
          dump(roles, 2, origin)};
}

}  // namespace cutd
