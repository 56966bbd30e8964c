#include "text/gguf_sentencepiece.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "core/error.h"

namespace cutd {
namespace {

constexpr const char* kSpace = "\u2581";

struct Merge {
  float score = 0;
  std::size_t left_length = 0;  // in characters
  std::size_t right_length = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
};

// Byte offsets at which the characters of UTF-8 text start.
std::vector<std::size_t> character_starts(const std::string& text) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) starts.push_back(at);
  }
  return starts;
}

bool takes_part(const GgufTokenizer& gguf, std::int64_t id) {
  if (gguf.token_types.empty()) return true;
  const auto type = static_cast<GgufTokenType>(gguf.token_types[static_cast<std::size_t>(id)]);
  return type == GgufTokenType::kNormal || type == GgufTokenType::kUserDefined || type == GgufTokenType::kUnused;
}

// The merges that end in one token, in the order of their parts' ids.
std::vector<Merge> merges_into(const GgufTokenizer& gguf, const GgufVocabulary& ids, std::size_t id) {
  const std::string& token = gguf.tokens[id];
  const std::vector<std::size_t> starts = character_starts(token);
  std::vector<Merge> merges;
  for (std::size_t split = 1; split < starts.size(); ++split) {
    const auto left = ids.find(token.substr(0, starts[split]));
    if (left == ids.end() || !takes_part(gguf, left->second)) continue;
    const auto right = ids.find(token.substr(starts[split]));
    if (right == ids.end() || !takes_part(gguf, right->second)) continue;
    merges.push_back({gguf.scores[id], split, starts.size() - split, left->second, right->second});
  }
  std::sort(merges.begin(), merges.end(),
            [](const Merge& a, const Merge& b) { return std::tie(a.left, a.right) < std::tie(b.left, b.right); });
  return merges;
}

}  // namespace

Json sentencepiece_merges(const GgufTokenizer& gguf, const GgufVocabulary& ids, const std::string& origin) {
  if (gguf.scores.empty()) {
    throw Error(ErrorCode::kBadInput, origin + ": tokenizer.ggml.scores is missing, which a llama tokenizer needs");
  }
  std::vector<Merge> merges;
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    if (!std::isfinite(gguf.scores[id])) {
      throw Error(ErrorCode::kBadInput, origin + ": tokenizer.ggml.scores[" + std::to_string(id) + "] is not finite");
    }
    if (!takes_part(gguf, static_cast<std::int64_t>(id))) continue;
    const std::vector<Merge> fresh = merges_into(gguf, ids, id);
    merges.insert(merges.end(), fresh.begin(), fresh.end());
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return std::tie(a.score, a.left_length, a.right_length) > std::tie(b.score, b.left_length, b.right_length);
  });
  Json result = Json::array();
  for (const Merge& merge : merges) {
    result.push_back(Json::array(
        {gguf.tokens[static_cast<std::size_t>(merge.left)], gguf.tokens[static_cast<std::size_t>(merge.right)]}));
  }
  return result;
}

Json sentencepiece_normalizer(bool space_prefix) {
  const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}};
  if (!space_prefix) return replace;
  const Json prepend = {{"type", "Prepend"}, {"prepend", kSpace}};
  return {{"type", "Sequence"}, {"normalizers", Json::array({prepend, replace})}};
}

Json sentencepiece_decoder(bool space_prefix) {
  Json steps = Json::array();
  steps.push_back({{"type", "Replace"}, {"pattern", {{"String", kSpace}}}, {"content", " "}});
  steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (space_prefix) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", steps}};
}

}  // namespace cutd
