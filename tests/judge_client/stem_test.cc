#include "judge_client/stem.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

TEST(StemTest, BringsFormsOfAWordTogether) {
  const std::pair<const char*, const char*> pairs[] = {
      {"volcano", "volcanoes"}, {"erupt", "eruption"}, {"erupt", "erupted"},      {"cook", "cooking"},
      {"run", "running"},       {"city", "cities"},    {"bake", "baking"},        {"bake", "bakers"},
      {"quick", "quickly"},     {"plan", "planning"},  {"manage", "management"},  {"dog", "dog's"},
      {"glass", "glasses"},     {"move", "moved"},     {"organize", "organizing"}};
  for (const auto& [a, b] : pairs) EXPECT_EQ(stem(a), stem(b)) << a << " " << b;
}

TEST(StemTest, KeepsDifferentWordsApart) {
  const std::pair<const char*, const char*> pairs[] = {{"bus", "bu"}, {"thing", "th"},    {"sing", "s"},
                                                       {"red", "r"},  {"planet", "plan"}, {"table", "tab"}};
  for (const auto& [a, b] : pairs) EXPECT_NE(stem(a), stem(b)) << a << " " << b;
}

TEST(StemTest, LeavesOtherScriptsAlone) {
  EXPECT_EQ(stem("火山"), "火山");
  EXPECT_EQ(stem("вулканы"), "вулканы");
  EXPECT_EQ(stem(""), "");
}

TEST(StemTest, KnowsStopWords) {
  EXPECT_TRUE(is_stop_word("the"));
  EXPECT_TRUE(is_stop_word("explain"));
  EXPECT_FALSE(is_stop_word("volcano"));
  EXPECT_FALSE(is_stop_word(""));
}

}  // namespace
}  // namespace cutd
