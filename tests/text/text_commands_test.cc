#include "text/text_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "support/temporary_directory.h"
#include "text_data.h"

namespace cutd {
namespace {

class TextCommandsTest : public testing::Test {
 protected:
  TextCommandsTest() {
    std::filesystem::copy_file(text_data("byte_level.tokenizer.json"), folder_ / "tokenizer.json");
    const char* chat_template =
        "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}";
    const Json config = {{"bos_token", "<|user|>"}, {"add_bos_token", true}, {"chat_template", chat_template}};
    std::ofstream(folder_ / "tokenizer_config.json") << config;
  }

  TextFiles files(const std::string& input) {
    std::ofstream(folder_ / "in.jsonl") << input;
    return {folder_.path(), folder_ / "in.jsonl", folder_ / "out.jsonl"};
  }
  std::vector<Json> output() {
    std::vector<Json> rows;
    read_json_lines(folder_ / "out.jsonl", [&](const Json& row, std::size_t) { rows.push_back(row); });
    return rows;
  }
  std::string refusal(const std::string& input, std::size_t (*command)(const TextFiles&, const TextOptions&)) {
    try {
      command(files(input), {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_FALSE(std::filesystem::exists(folder_ / "out.jsonl")) << "no half-written output";
      return error.what();
    }
    return "accepted";
  }

  TemporaryDirectory folder_;
};

TEST_F(TextCommandsTest, WhatEncodeWritesDecodeReads) {
  const std::string input = R"({"id":1,"text":"The dog"}

{"id":"b","text":"naïve 日本"}
{"id":[null],"text":""}
)";
  EXPECT_EQ(encode_text_file(files(input), {.add_special_tokens = false}), 3U);
  const auto encoded = output();
  EXPECT_EQ(encoded[0].at("id"), 1);
  EXPECT_EQ(encoded[1].at("id"), "b");
  EXPECT_EQ(encoded[2].at("ids"), Json::array());
  std::string lines;
  for (const Json& row : encoded) lines += row.dump() + "\n";
  decode_text_file(files(lines), {});
  const auto decoded = output();
  EXPECT_EQ(decoded[0].dump(), R"({"id":1,"text":"The dog"})");
  EXPECT_EQ(decoded[1].at("text"), "naïve 日本");
  EXPECT_EQ(decoded[2].at("id"), Json::array({nullptr}));
}

TEST_F(TextCommandsTest, ARowsOwnKeysWinOverTheOptions) {
  encode_text_file(files(R"({"id":0,"text":"a"}
{"id":1,"text":"a","add_special_tokens":false})"),
                   {});
  const auto rows = output();
  EXPECT_EQ(rows[0].at("ids").size(), rows[1].at("ids").size() + 1);
}

TEST_F(TextCommandsTest, RenderGivesTextAndItsIdsWithoutASecondBos) {
  render_text_file(files(R"({"id":0,"messages":[{"role":"user","content":"<|user|>a"}]}
{"id":1,"messages":[{"role":"user","content":"a"}],"add_generation_prompt":true})"),
                   {});
  const auto rows = output();
  EXPECT_EQ(rows[0].at("text"), "<|user|>a");
  EXPECT_EQ(rows[0].at("ids").at(0), 1);
  EXPECT_NE(rows[0].at("ids").at(1), 1);
  EXPECT_EQ(rows[1].at("text"), "a>");
}

TEST_F(TextCommandsTest, BrokenRowsNameFileLineAndKey) {
  using testing::HasSubstr;
  const std::string good = R"({"id":0,"text":"a","ids":[1]})";
  EXPECT_THAT(refusal(good + "\n{\"id\":1}\n", encode_text_file),
              testing::AllOf(HasSubstr("in.jsonl:2"), HasSubstr("\"text\"")));
  EXPECT_THAT(refusal(good + "\n{oops\n", encode_text_file), HasSubstr("in.jsonl:2"));
  EXPECT_THAT(refusal("\n" + good + "\n[]\n", encode_text_file), HasSubstr("in.jsonl:3"));
  EXPECT_THAT(refusal(R"({"text":"a"})", encode_text_file), HasSubstr("\"id\""));
  EXPECT_THAT(refusal(R"({"id":0,"ids":[-4]})", decode_text_file), HasSubstr("-4"));
  EXPECT_THAT(refusal(R"({"id":0,"ids":[1.5]})", decode_text_file), HasSubstr("\"ids\""));
  EXPECT_THAT(refusal(R"({"id":0,"ids":"12"})", decode_text_file), HasSubstr("\"ids\""));
  EXPECT_THAT(refusal(R"({"id":0,"messages":"hi"})", render_text_file), HasSubstr("messages"));
}

TEST_F(TextCommandsTest, AMissingInputIsNamed) {
  try {
    encode_text_file({folder_.path(), folder_ / "none.jsonl", folder_ / "out.jsonl"}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), testing::HasSubstr("none.jsonl"));
  }
}

TEST_F(TextCommandsTest, AModelWithoutTemplateCannotRender) {
  std::ofstream(folder_ / "tokenizer_config.json") << "{}";
  try {
    render_text_file(files("{}"), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), testing::HasSubstr("chat template"));
  }
}

}  // namespace
}  // namespace cutd
