#include "text/incremental_decoder.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "core/error.h"
#include "text_data.h"

namespace cutd {
namespace {

// Decodes one id at a time; every piece must be whole characters.
std::string streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skip_special) {
  IncrementalDecoder decoder(tokenizer, skip_special);
  std::string text;
  for (const TokenId id : ids) {
    const std::string piece = decoder.push(id);
    EXPECT_NO_THROW(Json(piece).dump()) << "a piece with part of a character";
    text += piece;
  }
  return text + decoder.finish();
}

// A byte-level tokenizer whose decoder is another one.
Tokenizer with_decoder(const std::string& name, const Json& decoder) {
  Json json = read_json_file(text_data(name + ".tokenizer.json"));
  json["decoder"] = decoder;
  return Tokenizer::from_json(json.dump(), {}, name);
}

TEST(IncrementalDecoderTest, HoldsBackACharacterUntilItsLastByte) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  IncrementalDecoder decoder(tokenizer);
  std::vector<std::string> pieces;
  for (const TokenId id : tokenizer.encode("é🙂x", false)) pieces.push_back(decoder.push(id));
  EXPECT_EQ(pieces, (std::vector<std::string>{"é", "", "", "🙂", "x"}));
  EXPECT_EQ(decoder.finish(), "");
}

TEST(IncrementalDecoderTest, BytesThatNeverBecomeACharacterAppearAtTheEnd) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  std::vector<TokenId> ids = tokenizer.encode("🙂", false);
  ids.pop_back();
  IncrementalDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.push(ids), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
  EXPECT_EQ(decoder.push(tokenizer.encode("a", false)), "a") << "as new after finish";
}

TEST(IncrementalDecoderTest, LeavesOutSpecialTokensOnlyWhenAsked) {
  const Tokenizer tokenizer = small_tokenizer("byte_level");
  const auto ids = tokenizer.encode("a<|end|>b", false);
  EXPECT_EQ(streamed(tokenizer, ids, true), "ab");
  EXPECT_EQ(streamed(tokenizer, ids, false), "a<|end|>b");
}

TEST(IncrementalDecoderTest, OutlivesTheTokenizerItWasMadeFrom) {
  auto tokenizer = std::make_unique<Tokenizer>(small_tokenizer("byte_level"));
  const auto ids = tokenizer->encode("still here", false);
  IncrementalDecoder decoder(*tokenizer);
  tokenizer.reset();
  EXPECT_EQ(decoder.push(ids), "still here");
}

TEST(IncrementalDecoderTest, RefusesNegativeIds) {
  IncrementalDecoder decoder(small_tokenizer("byte_level"));
  EXPECT_THROW(decoder.push(-5), Error);
}

// Any ids at all, so any bytes at all: the pieces must always add up to the full decode.
TEST(IncrementalDecoderTest, PiecesOfRandomIdsAddUpToTheFullDecode) {
  const Json metaspace = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
  const Json fuse = {{"type", "Sequence"},
                     {"decoders", Json::array({Json{{"type", "ByteFallback"}}, Json{{"type", "Fuse"}}})}};
  const Json bpe = {{"type", "BPEDecoder"}, {"suffix", "a"}};
  const std::array tokenizers = {
      small_tokenizer("byte_level"),       small_tokenizer("sentencepiece"),   with_decoder("sentencepiece", metaspace),
      with_decoder("sentencepiece", fuse), with_decoder("sentencepiece", bpe), with_decoder("byte_level", Json())};
  std::mt19937 random(20261124);
  for (const Tokenizer& tokenizer : tokenizers) {
    std::uniform_int_distribution<TokenId> any_id(0, tokenizer.vocabulary_size() + 2);
    for (int round = 0; round < 300; ++round) {
      std::vector<TokenId> ids(random() % 40);
      for (TokenId& id : ids) id = any_id(random);
      const bool skip = round % 2 == 0;
      ASSERT_EQ(streamed(tokenizer, ids, skip), tokenizer.decode(ids, skip));
    }
  }
}

// Runs of byte tokens are what random ids seldom make.
TEST(IncrementalDecoderTest, PiecesOfRandomByteTokensAddUpToTheFullDecode) {
  const Tokenizer tokenizer = small_tokenizer("sentencepiece");
  const TokenId first_byte = tokenizer.token_to_id("<0x00>").value();
  const TokenId letter = tokenizer.encode("dog", false).back();
  const std::string valid = "é日🙂a";
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<TokenId> ids;
    for (int part = 0; part < 6; ++part) {
      const std::size_t kind = random() % 3;
      if (kind == 0) ids.push_back(letter);
      if (kind == 1) ids.push_back(first_byte + static_cast<TokenId>(random() % 256));
      if (kind == 2) {
        for (const char byte : valid) ids.push_back(first_byte + static_cast<unsigned char>(byte));
      }
    }
    ASSERT_EQ(streamed(tokenizer, ids, true), tokenizer.decode(ids, true));
  }
}

}  // namespace
}  // namespace cutd
