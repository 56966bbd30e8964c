#include "core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_json(text, "body");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(JsonTest, RefusesDuplicateKeysAtAnyDepth) {
  EXPECT_EQ(refusal(R"({"a":{"b":1,"b":2}})"), "body: duplicate key \"b\"");
  EXPECT_EQ(refusal(R"([{"b":1},{"b":2}])"), "");
}

TEST(JsonTest, RefusesDeepNesting) {
  EXPECT_EQ(refusal(std::string(30, '[') + std::string(30, ']')), "");
  EXPECT_THAT(refusal(std::string(100'000, '[')), ::testing::HasSubstr("nested deeper than 32"));
}

TEST(JsonTest, NamesTheFileAndLineOfABrokenRow) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "rows.jsonl") << "{\"id\":1}\n\n{\"id\":\n";
  try {
    read_json_lines(directory / "rows.jsonl", [](const Json&, std::size_t) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("rows.jsonl:3"));
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  }
}

TEST(JsonTest, ReadsJsonLinesInMemoryAndSaysWhereEachStands) {
  std::vector<std::string> seen;
  parse_json_lines("{\"id\":1}\r\n \n{\"id\":2}", "set", [&](const Json& row, const std::string& place) {
    seen.push_back(place + "=" + row.at("id").dump());
  });
  EXPECT_THAT(seen, ::testing::ElementsAre("set:1=1", "set:3=2"));
  EXPECT_THAT([] { parse_json_lines("{}\n{\n", "set", [](const Json&, const std::string&) {}); },
              ::testing::ThrowsMessage<Error>(::testing::StartsWith("set:2")));
}

TEST(JsonTest, AnObjectHasSoManyKeysAndNoMore) {
  constexpr std::size_t kMaxJsonKeys = 1024;
  std::string text = "[";
  for (int object = 0; object < 2; ++object) {
    text += object == 0 ? "{" : ",{";
    for (std::size_t i = 0; i < kMaxJsonKeys; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    text += "}";
  }
  EXPECT_EQ(parse_json(text + "]", "here")[1].size(), kMaxJsonKeys);
  text.insert(text.size() - 1, ",\"one more\":0");
  EXPECT_THAT([&] { parse_json(text + "]", "here"); },
              ::testing::ThrowsMessage<Error>("here: an object of more than 1024 keys"));
}

TEST(JsonTest, NamesAMissingMember) {
  EXPECT_THAT(
      [] {
        json_get<int>(Json{{"a", 1}}, "b", "here");
      },
      ::testing::ThrowsMessage<Error>("here: key \"b\" is missing"));
}

TEST(JsonTest, WritesInvalidUtf8AsReplacementCharacters) {
  EXPECT_EQ(to_json_text(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace cutd
