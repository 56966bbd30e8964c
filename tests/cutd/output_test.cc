#include "cutd/output.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

TEST(OutputTest, PutsNumbersToTheRightAndTextToTheLeft) {
  EXPECT_EQ(table_text({"name", "score"}, {{"a", "7.5 %"}, {"longer", "12.5 %"}}),
            "name     score\n"
            "a        7.5 %\n"
            "longer  12.5 %\n");
}

TEST(OutputTest, CountsCharactersNotBytes) {
  EXPECT_EQ(display_width("über – ━"), 8U);
  EXPECT_EQ(table_text({"a", "b"}, {{"ü", "x"}, {"uu", "y"}}),
            "a   b\n"
            "ü   x\n"
            "uu  y\n");
}

TEST(OutputTest, AMissingNumberDoesNotTurnItsColumnIntoText) {
  EXPECT_EQ(table_text({"n"}, {{"-"}, {"10"}}), " n\n -\n10\n");
}

TEST(OutputTest, ATableOfNothingIsItsHeader) { EXPECT_EQ(table_text({"run", "state"}, {}), "run  state\n"); }

TEST(OutputTest, ShowsNullAndEmptyTextAsADash) {
  EXPECT_EQ(cell(nullptr), "-");
  EXPECT_EQ(cell(""), "-");
  EXPECT_EQ(cell("text"), "text");
  EXPECT_EQ(cell(3), "3");
  EXPECT_EQ(cell(true), "true");
}

TEST(OutputTest, MakesATableOfObjectsWhateverTheyLack) {
  const Json list = {{{"id", 1}, {"name", "one"}}, {{"id", 22}}};
  EXPECT_EQ(table_of(list, {{"run", "id"}, {"called", "name"}}),
            "run  called\n"
            "  1  one\n"
            " 22  -\n");
}

}  // namespace
}  // namespace cutd
