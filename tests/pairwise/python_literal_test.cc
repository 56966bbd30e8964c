#include "pairwise/python_literal.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cutd {
namespace {

TEST(PythonLiteralTest, ReadsWhatPythonWrites) {
  EXPECT_EQ(parse_python_literal(" [1, -2.5, 'a', \"b'c\", True, False, None,] "),
            Json::parse(R"([1, -2.5, "a", "b'c", true, false, null])"));
  EXPECT_EQ(parse_python_literal("{'a': (1, 2), 'b': {}, 'a': [] # the last one counts\n}"),
            Json::parse(R"({"a": [], "b": {}})"));
  EXPECT_EQ(parse_python_literal("'one' \"two\""), "onetwo");
  EXPECT_EQ(parse_python_literal(R"('\n\x41\u00e9\q')"), "\nA\u00e9\\q");
  EXPECT_EQ(parse_python_literal("'''a\n'b'''"), "a\n'b");
  EXPECT_EQ(parse_python_literal("(1)"), 1);
  EXPECT_EQ(parse_python_literal("(1,)"), Json::array({1}));
}

TEST(PythonLiteralTest, RefusesEverythingElse) {
  for (const char* text : {"", "[", "[1 2]", "[,]", "{1: 2}", "{'a' 1}", "'a", "'a\nb'", "1 2", "x", "Truee", "1e",
                           "f('a')", "[1]]", "--1", "'\\xZZ'", "'\\ud800'"})
    EXPECT_THROW(parse_python_literal(text), Error) << text;
  EXPECT_THROW(parse_python_literal(std::string(200, '[')), Error);
}

}  // namespace
}  // namespace cutd
