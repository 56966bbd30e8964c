#include "text/gguf_pre_tokenizers.h"

#include <initializer_list>
#include <vector>

#include "core/error.h"

namespace cutd {
namespace {

constexpr const char* kLlama3 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)re"
    R"re(\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kQwen2 =
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)re"
    R"re(\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kTekken = R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)re"
                                R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)re"
                                R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

constexpr const char* kGpt4o =
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
    R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

// DeepSeek-V3 splits three times: numbers, Chinese and kana, everything else.
constexpr const char* kDeepSeekNumbers = R"re(\p{N}{1,3})re";
constexpr const char* kDeepSeekScripts = "[一-龥぀-ゟ゠-ヿ]+";
constexpr const char* kDeepSeekRest =
    R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)re"
    R"re( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json digits() { return {{"type", "Digits"}, {"individual_digits", true}}; }

Json sequence(std::initializer_list<Json> steps) {
  Json list = Json::array();
  for (const Json& step : steps) list.push_back(step);
  return {{"type", "Sequence"}, {"pretokenizers", list}};
}

Json split(const char* regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

Json split_then_bytes(const char* regex) { return sequence({split(regex), byte_level(false)}); }

struct Row {
  std::vector<const char*> names;
  GgufPreTokenizer definition;
};

std::vector<Row> table() {
  const Json nfc = {{"type", "NFC"}};
  return {
      {{"default", "gpt-2", "phi-2"}, {.pre_tokenizer = byte_level(true)}},
      {{"smollm", "starcoder", "refact"}, {.pre_tokenizer = sequence({digits(), byte_level(true)})}},
      {{"llama-bpe", "llama3", "llama-v3"},
       {.pre_tokenizer = split_then_bytes(kLlama3), .ignore_merges = true, .add_bos = true}},
      {{"smaug-bpe", "dbrx"}, {.pre_tokenizer = split_then_bytes(kLlama3)}},
      {{"qwen2", "deepseek-r1-qwen"}, {.normalizer = nfc, .pre_tokenizer = split_then_bytes(kQwen2)}},
      {{"tekken"}, {.pre_tokenizer = split_then_bytes(kTekken), .ignore_merges = true, .add_bos = true}},
      {{"gpt-4o", "llama4"}, {.pre_tokenizer = split_then_bytes(kGpt4o)}},
      {{"deepseek-v3"},
       {.pre_tokenizer =
            sequence({split(kDeepSeekNumbers), split(kDeepSeekScripts), split(kDeepSeekRest), byte_level(false)})}},
  };
}

}  // namespace

GgufPreTokenizer find_gguf_pre_tokenizer(const std::string& name, const std::string& origin) {
  std::string known;
  for (const Row& row : table()) {
    for (const char* candidate : row.names) {
      if (name == candidate || (name.empty() && std::string(candidate) == "default")) return row.definition;
      known += (known.empty() ? "" : ", ") + std::string(candidate);
    }
  }
  throw Error(ErrorCode::kBadInput, origin + ": unknown pre-tokenizer tokenizer.ggml.pre = \"" + name +
                                        "\"; known are " + known +
                                        ". Take tokenizer.json from the model's original folder instead.");
}

}  // namespace cutd
