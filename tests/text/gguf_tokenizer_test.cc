#include "text/gguf_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "gguf_metadata.h"
#include "text/chat_template.h"
#include "text/incremental_decoder.h"
#include "text_data.h"

namespace cutd {
namespace {

using testing::HasSubstr;

Tokenizer built(const GgufTokenizer& gguf) {
  const TokenizerFiles files = build_tokenizer_files(gguf, "m.gguf");
  const TokenizerConfig config = parse_tokenizer_config(Json::parse(files.tokenizer_config_json),
                                                        Json::parse(files.special_tokens_map_json), "m.gguf");
  return Tokenizer::from_json(files.tokenizer_json, config, "m.gguf");
}

std::string refusal(const GgufTokenizer& gguf) {
  try {
    build_tokenizer_files(gguf, "m.gguf");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_THAT(error.what(), HasSubstr("m.gguf"));
    return error.what();
  }
  return "accepted";
}

// The metadata that a converter would write for a tokenizer.json.
GgufTokenizer as_gguf(const std::string& name) {
  const Json json = read_json_file(text_data(name + ".tokenizer.json"));
  GgufTokenizer gguf;
  std::map<std::int64_t, std::string> by_id;
  for (const auto& [token, id] : json.at("model").at("vocab").items()) by_id[id] = token;
  for (const Json& added : json.at("added_tokens")) by_id[added.at("id")] = added.at("content");
  for (const auto& [id, token] : by_id) gguf.tokens.push_back(token);
  gguf.token_types.assign(gguf.tokens.size(), static_cast<std::int32_t>(GgufTokenType::kNormal));
  for (const Json& added : json.at("added_tokens")) {
    gguf.token_types[added.at("id").get<std::size_t>()] = static_cast<std::int32_t>(
        added.at("special").get<bool>() ? GgufTokenType::kControl : GgufTokenType::kUserDefined);
  }
  for (const Json& merge : json.at("model").at("merges")) {
    gguf.merges.push_back(merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  }
  return gguf;
}

GgufTokenizer byte_level_gguf() {
  GgufTokenizer gguf = as_gguf("byte_level");
  gguf.model = "gpt2";
  gguf.pre = "smollm";
  gguf.bos_id = 1;
  gguf.eos_id = 2;
  return gguf;
}

// SentencePiece files have no merges: a token's score is minus the rank of the merge that makes it.
GgufTokenizer sentencepiece_gguf() {
  GgufTokenizer gguf = as_gguf("sentencepiece");
  gguf.model = "llama";
  gguf.scores.assign(gguf.tokens.size(), -1e6F);
  for (std::size_t rank = gguf.merges.size(); rank-- > 0;) {
    std::string merged = gguf.merges[rank];
    merged.erase(merged.find(' '), 1);
    for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
      if (gguf.tokens[id] == merged) gguf.scores[id] = -static_cast<float>(rank);
    }
  }
  gguf.merges.clear();
  for (std::size_t id = 0; id < gguf.tokens.size(); ++id) {
    if (gguf.tokens[id].starts_with("<0x")) gguf.token_types[id] = static_cast<std::int32_t>(GgufTokenType::kByte);
  }
  gguf.token_types[0] = static_cast<std::int32_t>(GgufTokenType::kUnknown);
  gguf.unk_id = 0;
  gguf.bos_id = 1;
  gguf.eos_id = 2;
  return gguf;
}

void expect_same_cases(const Tokenizer& tokenizer, const std::string& name) {
  for (const Json& expected : read_json_file(text_data(name + ".cases.json"))) {
    SCOPED_TRACE(expected.at("text").get<std::string>());
    const auto ids = tokenizer.encode(expected.at("text").get<std::string>(), false);
    EXPECT_EQ(Json(ids), expected.at("ids"));
    EXPECT_EQ(Json(tokenizer.encode(expected.at("text").get<std::string>(), true)), expected.at("with_special"));
    EXPECT_EQ(tokenizer.decode(ids, true), expected.at("decoded_skipping_special").get<std::string>());
  }
}

TEST(GgufTokenizerTest, AByteLevelVocabularyGivesBackItsTokenizer) {
  expect_same_cases(built(byte_level_gguf()), "byte_level");
}

TEST(GgufTokenizerTest, ASentencePieceVocabularyGivesBackItsTokenizer) {
  expect_same_cases(built(sentencepiece_gguf()), "sentencepiece");
}

TEST(GgufTokenizerTest, WithoutSpacePrefixTextStartsAsItIs) {
  GgufTokenizer gguf = sentencepiece_gguf();
  gguf.add_space_prefix = false;
  gguf.add_bos = false;
  const Tokenizer tokenizer = built(gguf);
  const auto ids = tokenizer.encode(" dog", true);
  EXPECT_EQ(tokenizer.decode(ids, true), " dog");
}

TEST(GgufTokenizerTest, TheConfigNamesRolesTemplateAndAClassThatKeepsThePreTokenizer) {
  GgufTokenizer gguf = byte_level_gguf();
  gguf.pad_id = 2;
  gguf.chat_template = "{{ messages }}";
  gguf.context_length = 8192;
  const TokenizerFiles files = build_tokenizer_files(gguf, "m.gguf");
  const Json config = Json::parse(files.tokenizer_config_json);
  EXPECT_EQ(config.at("bos_token"), "<|user|>");
  EXPECT_EQ(config.at("pad_token"), "<|end|>");
  EXPECT_EQ(config.at("tokenizer_class"), "PreTrainedTokenizerFast");
  EXPECT_EQ(config.at("model_max_length"), 8192);
  EXPECT_EQ(config.at("chat_template"), "{{ messages }}");
  EXPECT_EQ(config.at("added_tokens_decoder").at("1").at("special"), true);
  EXPECT_EQ(Json::parse(files.special_tokens_map_json).at("eos_token"), "<|end|>");
}

TEST(GgufTokenizerTest, BosAndEosAreAddedWhereTheFileSaysSo) {
  GgufTokenizer gguf = byte_level_gguf();
  gguf.add_bos = true;
  gguf.add_eos = true;
  const auto ids = built(gguf).encode("a", true);
  EXPECT_EQ(ids.front(), 1);
  EXPECT_EQ(ids.back(), 2);
  EXPECT_EQ(ids.size(), 3U);
}

TEST(GgufTokenizerTest, EveryKnownPreTokenizerMakesALoadableTokenizer) {
  GgufTokenizer gguf = byte_level_gguf();
  for (const char* pre :
       {"", "default", "gpt-2", "smollm", "starcoder", "llama-bpe", "qwen2", "tekken", "gpt-4o", "deepseek-v3"}) {
    gguf.pre = pre;
    const Tokenizer tokenizer = built(gguf);
    const std::string text = "It's 12345 naïve  日本語\n\n x";
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, false), true), text) << pre;
  }
}

TEST(GgufTokenizerTest, PreTokenizersDifferInHowTheySplitNumbers) {
  GgufTokenizer gguf = byte_level_gguf();
  const auto merge = [&](const std::string& left, const std::string& right) {
    gguf.merges.push_back(left + " " + right);
    gguf.tokens.push_back(left + right);
    gguf.token_types.push_back(static_cast<std::int32_t>(GgufTokenType::kNormal));
  };
  merge("7", "8");
  merge("78", "9");
  merge("789", "6");
  const auto count = [&](const char* pre) {
    gguf.pre = pre;
    return built(gguf).encode("7896", false).size();
  };
  EXPECT_EQ(count("gpt-2"), 1U);
  EXPECT_EQ(count("llama-bpe"), 2U);
  EXPECT_EQ(count("smollm"), 4U);
  EXPECT_EQ(count("qwen2"), 4U);
}

TEST(GgufTokenizerTest, AnUnknownPreTokenizerIsNamedWithTheKnownOnes) {
  GgufTokenizer gguf = byte_level_gguf();
  gguf.pre = "martian";
  EXPECT_THAT(refusal(gguf), testing::AllOf(HasSubstr("martian"), HasSubstr("smollm"), HasSubstr("llama-bpe")));
}

TEST(GgufTokenizerTest, AnUnknownModelIsNamed) {
  GgufTokenizer gguf = byte_level_gguf();
  gguf.model = "t5";
  EXPECT_THAT(refusal(gguf), testing::AllOf(HasSubstr("\"t5\""), HasSubstr("gpt2")));
}

TEST(GgufTokenizerTest, DefectsAreNamed) {
  const auto refused = [](auto change) {
    GgufTokenizer gguf = byte_level_gguf();
    change(gguf);
    return refusal(gguf);
  };
  EXPECT_THAT(refused([](auto& gguf) { gguf.tokens[50] = gguf.tokens[40]; }), HasSubstr("tokens 40 and 50"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.merges[3] = "noseparator"; }), HasSubstr("merges[3]"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.merges[3] = "zz yy"; }), HasSubstr("\"zz\" is not in the vocabulary"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.eos_id = 1'000'000; }), HasSubstr("eos_token_id = 1000000"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.token_types.pop_back(); }), HasSubstr("token_type"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.token_types[0] = 9; }), HasSubstr("token_type[0] = 9"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.tokens.clear(); }), HasSubstr("tokens"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.merges.clear(); }), HasSubstr("merges"));
  EXPECT_THAT(refused([](auto& gguf) { gguf.tokens[60] = "\xff"; }), HasSubstr(""));
  GgufTokenizer gguf = sentencepiece_gguf();
  gguf.scores.clear();
  EXPECT_THAT(refusal(gguf), HasSubstr("scores"));
}

// The real model's tokenizer, built from its GGUF, against the golden cases.
class SmolLm2Test : public testing::Test {
 protected:
  void SetUp() override {
    const char* cache = std::getenv("CUTD_CACHE_DIR");
    const char* home = std::getenv("HOME");
    const std::filesystem::path gguf =
        (cache ? std::filesystem::path(cache) : std::filesystem::path(home ? home : "/") / ".cache/cutd") /
        "models/SmolLM2-135M-Instruct.Q4_1.gguf";
    if (!std::filesystem::exists(gguf)) GTEST_SKIP() << gguf << " is not here (scripts/demo fetches it)";
    if (!std::filesystem::exists(golden_tokenizer_data("strings.json"))) {
      GTEST_SKIP() << golden_tokenizer_data("strings.json") << " is not here";
    }
    metadata_ = GgufMetadata(gguf.string()).tokenizer();
    tokenizer_ = std::make_unique<Tokenizer>(built(metadata_));
  }

  GgufTokenizer metadata_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(SmolLm2Test, EncodesAndDecodesEveryGoldenString) {
  const Json data = read_json_file(golden_tokenizer_data("strings.json"));
  ASSERT_EQ(data.at("strings").size(), 120U);
  for (const Json& expected : data.at("strings")) {
    const std::string text = expected.at("text");
    SCOPED_TRACE(text);
    const auto ids = tokenizer_->encode(text, true);
    EXPECT_EQ(Json(ids), expected.at("ids"));
    EXPECT_EQ(tokenizer_->decode(ids, false), expected.value("decode", text));
    if (expected.contains("decode_skip_special")) {
      EXPECT_EQ(tokenizer_->decode(ids, true), expected.at("decode_skip_special").get<std::string>());
    }
  }
  for (const auto& [token, id] : data.at("special_ids").items()) EXPECT_EQ(Json(*tokenizer_->token_to_id(token)), id);
}

TEST_F(SmolLm2Test, StreamsEveryGoldenPrefix) {
  const Json data = read_json_file(golden_tokenizer_data("strings.json"));
  for (const Json& expected : data.at("streaming")) {
    const auto ids = expected.at("ids").get<std::vector<TokenId>>();
    IncrementalDecoder decoder(*tokenizer_, false);
    std::string text;
    for (std::size_t count = 0; count < ids.size(); ++count) {
      text += decoder.push(ids[count]);
      // What is shown is the prefix's decode without its unfinished last character.
      const std::string whole = expected.at("prefix_decodes").at(count);
      EXPECT_TRUE(whole.starts_with(text)) << whole;
      const std::string held = whole.substr(std::min(text.size(), whole.size()));
      EXPECT_TRUE(held.empty() || held == "\uFFFD") << held;
    }
    EXPECT_EQ(text + decoder.finish(), expected.at("text").get<std::string>());
  }
}

TEST_F(SmolLm2Test, RendersAndEncodesEveryGoldenChat) {
  const Json data = read_json_file(golden_tokenizer_data("smollm2_chat.json"));
  const ChatTemplate chat_template(metadata_.chat_template, {}, "gguf");
  EXPECT_EQ(metadata_.chat_template, data.at("template").get<std::string>());
  for (const auto& [name, expected] : data.at("cases").items()) {
    SCOPED_TRACE(name);
    ChatOptions options;
    options.add_generation_prompt = expected.at("add_generation_prompt");
    const RenderedChat chat = encode_chat(*tokenizer_, chat_template, expected.at("messages"), options);
    EXPECT_EQ(chat.text, expected.at("rendered").get<std::string>());
    EXPECT_EQ(Json(chat.ids), expected.at("ids"));
  }
}

}  // namespace
}  // namespace cutd
