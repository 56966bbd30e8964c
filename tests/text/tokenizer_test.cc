#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "support/temporary_directory.h"
#include "text_data.h"

namespace cutd {
namespace {

using testing::HasSubstr;

class TokenizerTest : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerTest, AgreesWithPythonOnEverySmallCase) {
  const Tokenizer tokenizer = small_tokenizer(GetParam());
  const Json cases = read_json_file(text_data(std::string(GetParam()) + ".cases.json"));
  ASSERT_GT(cases.size(), 10U);
  for (const Json& expected : cases) {
    const std::string text = expected.at("text");
    SCOPED_TRACE(text);
    const auto ids = tokenizer.encode(text, false);
    EXPECT_EQ(Json(ids), expected.at("ids"));
    EXPECT_EQ(Json(tokenizer.encode(text, true)), expected.at("with_special"));
    EXPECT_EQ(tokenizer.decode(ids, false), expected.at("decoded").get<std::string>());
    EXPECT_EQ(tokenizer.decode(ids, true), expected.at("decoded_skipping_special").get<std::string>());
  }
}

TEST_P(TokenizerTest, ABatchGivesWhatSingleTextsGive) {
  const Tokenizer tokenizer = small_tokenizer(GetParam());
  std::vector<std::string> texts;
  for (const Json& expected : read_json_file(text_data(std::string(GetParam()) + ".cases.json"))) {
    texts.push_back(expected.at("text"));
  }
  const auto batch = tokenizer.encode_batch(texts, true);
  ASSERT_EQ(batch.size(), texts.size());
  for (std::size_t index = 0; index < texts.size(); ++index) {
    EXPECT_EQ(batch[index], tokenizer.encode(texts[index], true)) << texts[index];
  }
  EXPECT_TRUE(tokenizer.encode_batch({}, true).empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, TokenizerTest, testing::Values("byte_level", "sentencepiece"), [](const auto& row) {
  return std::string(row.param) == "byte_level" ? "ByteLevel" : "SentencePiece";
});

TEST(TokenizerLookupTest, TokensAndIdsFindEachOther) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  EXPECT_EQ(tokenizer.token_to_id("<|end|>"), 2);
  EXPECT_EQ(tokenizer.id_to_token(2), "<|end|>");
  EXPECT_EQ(tokenizer.token_to_id("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer.id_to_token(tokenizer.vocabulary_size()), std::nullopt);
  EXPECT_EQ(tokenizer.id_to_token(-1), std::nullopt);
  EXPECT_EQ(tokenizer.special_ids(), (std::vector<TokenId>{0, 1, 2}));
}

TEST(TokenizerLookupTest, IdsBeyondTheVocabularyDecodeToNothingAndNegativeOnesAreRefused) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{1'000'000, 1LL << 40}, false), "");
  EXPECT_THROW(tokenizer.decode(std::vector<TokenId>{-1}, false), Error);
}

TEST(TokenizerLookupTest, TextThatIsNotUtf8IsRefused) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  EXPECT_THROW(tokenizer.encode("\xff\xfe", false), Error);
}

TEST(TokenizerConfiguredEndsTest, AddsBosAndEosWhereTheTokenizerItselfDoesNot) {
  TokenizerConfig config;
  config.bos_token = "<|user|>";
  config.eos_token = "<|end|>";
  config.add_bos_token = true;
  config.add_eos_token = true;
  const Tokenizer tokenizer = small_tokenizer("byte_level", config);
  const auto plain = tokenizer.encode("hi", false);
  std::vector<TokenId> expected = {1};
  expected.insert(expected.end(), plain.begin(), plain.end());
  expected.push_back(2);
  EXPECT_EQ(tokenizer.encode("hi", true), expected);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
}

TEST(TokenizerConfiguredEndsTest, NeverAddsASecondBos) {
  TokenizerConfig config;
  config.bos_token = "<s>";
  config.add_bos_token = true;
  const Tokenizer tokenizer = small_tokenizer("sentencepiece", config);
  const auto ids = tokenizer.encode("hi", true);
  EXPECT_EQ(ids.at(0), 1);
  EXPECT_NE(ids.at(1), 1);
}

TEST(TokenizerConfiguredEndsTest, ATokenOnlyTheConfigNamesIsMatchedWhole) {
  TokenizerConfig config;
  config.named_tokens["pad_token"] = "[PAD]";
  config.pad_token = "[PAD]";
  const Tokenizer tokenizer = small_tokenizer("byte_level", config);
  const TokenId pad = tokenizer.pad_id().value();
  EXPECT_EQ(tokenizer.encode("[PAD][PAD]", false), (std::vector<TokenId>{pad, pad}));
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{pad}, true), "");
}

TEST(TokenizerThreadsTest, OneTokenizerServesManyThreads) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  const auto expected = tokenizer.encode("The dog runs in 2024.", true);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&tokenizer, &expected, &count] {
      for (int round = 0; round < 200; ++round) count += tokenizer.encode("The dog runs in 2024.", true) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

class DamagedTokenizerTest : public testing::Test {
 protected:
  DamagedTokenizerTest() : json_(read_json_file(text_data("byte_level.tokenizer.json"))) {}

  std::string refusal() { return refusal_of(json_.dump()); }
  static std::string refusal_of(const std::string& bytes) {
    try {
      Tokenizer::from_json(bytes, {}, "model/tokenizer.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_THAT(error.what(), HasSubstr("model/tokenizer.json"));
      return error.what();
    }
    return "accepted";
  }

  Json json_;
};

TEST_F(DamagedTokenizerTest, ABadRegularExpressionIsNamed) {
  json_["pre_tokenizer"] = {
      {"type", "Split"}, {"pattern", {{"Regex", "(unclosed"}}}, {"behavior", "Isolated"}, {"invert", false}};
  EXPECT_THAT(refusal(), HasSubstr("parenthesis"));
}

TEST_F(DamagedTokenizerTest, AMergeOfUnknownTokensIsNamed) {
  json_["model"]["merges"].push_back(Json::array({"nowhere", "tobefound"}));
  EXPECT_THAT(refusal(), HasSubstr("nowhere"));
}

TEST_F(DamagedTokenizerTest, TwoTokensOfOneIdAreNamed) {
  json_["model"]["vocab"]["doubled"] = 300;
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("doubled"), HasSubstr("share id 300")));
}

TEST_F(DamagedTokenizerTest, TwoAddedTokensOfOneIdAreNamed) {
  json_["added_tokens"][1]["id"] = 0;
  EXPECT_THAT(refusal(), HasSubstr("share id 0"));
}

TEST_F(DamagedTokenizerTest, AnIdNoModelHasIsNamed) {
  json_["model"]["vocab"]["far"] = 4'000'000'000;
  EXPECT_THAT(refusal(), HasSubstr("4000000000"));
}

TEST_F(DamagedTokenizerTest, AnUnknownModelTypeIsRefused) {
  json_["model"]["type"] = "Telepathy";
  EXPECT_NE(refusal(), "accepted");
}

TEST_F(DamagedTokenizerTest, EveryTruncationIsRefused) {
  const std::string whole = json_.dump();
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    ASSERT_NE(refusal_of(whole.substr(0, size)), "accepted") << size;
  }
}

TEST_F(DamagedTokenizerTest, NoFlippedByteCrashes) {
  const std::string whole = json_.dump();
  for (std::size_t at = 0; at < whole.size(); at += 13) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 7)));
    refusal_of(flipped);  // accepted or refused by name, both are fine
  }
}

TEST(TokenizerFolderTest, AFolderWithoutTokenizerNamesTheMissingFile) {
  const TemporaryDirectory directory;
  try {
    Tokenizer::from_directory(directory.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("tokenizer.json"));
  }
}

}  // namespace
}  // namespace cutd
