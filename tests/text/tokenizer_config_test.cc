#include "text/tokenizer_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

TokenizerConfig parse(const char* config, const char* special = "{}") {
  return parse_tokenizer_config(Json::parse(config), Json::parse(special), "tokenizer_config.json");
}

TEST(TokenizerConfigTest, TakesTokensAsStringsOrObjects) {
  const TokenizerConfig config =
      parse(R"({"bos_token":"<s>","eos_token":{"content":"</s>","lstrip":false},"pad_token":null})");
  EXPECT_EQ(config.bos_token, "<s>");
  EXPECT_EQ(config.eos_token, "</s>");
  EXPECT_EQ(config.pad_token, std::nullopt);
  EXPECT_EQ(config.named_tokens.size(), 2U);
  EXPECT_EQ(config.add_bos_token, std::nullopt);
}

TEST(TokenizerConfigTest, TheSpecialTokensMapFillsWhatTheConfigLeavesOut) {
  const TokenizerConfig config = parse(R"({"bos_token":"a"})", R"({"bos_token":"b","eos_token":{"content":"c"}})");
  EXPECT_EQ(config.bos_token, "a");
  EXPECT_EQ(config.eos_token, "c");
}

TEST(TokenizerConfigTest, ListsAddedTokensById) {
  const TokenizerConfig config =
      parse(R"({"added_tokens_decoder":{"10":{"content":"x","special":true},"2":{"content":"y"}}})");
  ASSERT_EQ(config.added_tokens.size(), 2U);
  EXPECT_EQ(config.added_tokens[0].content, "y");
  EXPECT_TRUE(config.added_tokens[0].normalized);
  EXPECT_EQ(config.added_tokens[1].id, 10);
  EXPECT_FALSE(config.added_tokens[1].normalized);
}

TEST(TokenizerConfigTest, ExtraSpecialTokensComeAsAListOrWithNames) {
  EXPECT_EQ(parse(R"({"additional_special_tokens":["<x>",{"content":"<y>"}]})").extra_special_tokens,
            (std::vector<std::string>{"<x>", "<y>"}));
  const TokenizerConfig named = parse(R"({"extra_special_tokens":{"image_token":"<image>"}})");
  EXPECT_EQ(named.named_tokens.at("image_token"), "<image>");
}

TEST(TokenizerConfigTest, TakesOneTemplateOrNamedOnes) {
  EXPECT_EQ(parse(R"({"chat_template":"t"})").chat_templates.at("default"), "t");
  const TokenizerConfig named =
      parse(R"({"chat_template":[{"name":"default","template":"a"},{"name":"tool_use","template":"b"}]})");
  EXPECT_EQ(named.chat_templates.at("tool_use"), "b");
}

TEST(TokenizerConfigTest, WrongTypesNameTheKey) {
  for (const char* text : {R"({"bos_token":3})", R"({"add_bos_token":"yes"})", R"({"chat_template":5})",
                           R"({"added_tokens_decoder":{"x":{"content":"y"}}})", R"({"eos_token":{"text":"y"}})"}) {
    try {
      parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_THAT(error.what(), testing::HasSubstr("tokenizer_config.json"));
      EXPECT_THAT(error.what(), testing::HasSubstr("token"));
    }
  }
}

TEST(TokenizerConfigTest, TemplateFilesWinOverTheConfig) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "additional_chat_templates");
  std::ofstream(directory / "tokenizer_config.json") << R"({"chat_template":"old"})";
  std::ofstream(directory / "chat_template.jinja") << "new";
  std::ofstream(directory / "additional_chat_templates/rag.jinja") << "more";
  const TokenizerConfig config = read_tokenizer_config(directory.path());
  EXPECT_EQ(config.chat_templates.at("default"), "new");
  EXPECT_EQ(config.chat_templates.at("rag"), "more");
}

TEST(TokenizerConfigTest, AnEmptyFolderHasNothingToSay) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(read_tokenizer_config(directory.path()).named_tokens.empty());
}

}  // namespace
}  // namespace cutd
