#include "generator/stop_scanner.h"

#include <gtest/gtest.h>

namespace cutd {
namespace {

TEST(StopScannerTest, FindsAStopStringAcrossPieces) {
  StopScanner scanner({"### End"});
  EXPECT_FALSE(scanner.push("text ##"));
  EXPECT_EQ(scanner.held_back(), 2U);
  EXPECT_FALSE(scanner.push("# E"));
  EXPECT_EQ(scanner.held_back(), 5U);
  EXPECT_TRUE(scanner.push("nd and more"));
  EXPECT_EQ(scanner.text(), "text ");
}

TEST(StopScannerTest, TheEarliestMatchWins) {
  StopScanner scanner({"world", "lo"});
  EXPECT_TRUE(scanner.push("hello world"));
  EXPECT_EQ(scanner.text(), "hel");
}

TEST(StopScannerTest, HoldsNothingBackWhenNoPrefixIsPending) {
  StopScanner scanner({"ab"});
  EXPECT_FALSE(scanner.push("xay"));
  EXPECT_EQ(scanner.held_back(), 0U);
}

TEST(StopScannerTest, IgnoresEmptyStopStringsAndLaterPieces) {
  StopScanner none({""});
  EXPECT_FALSE(none.push("anything"));
  StopScanner scanner({"x"});
  EXPECT_TRUE(scanner.push("ax"));
  EXPECT_TRUE(scanner.push("b"));
  EXPECT_EQ(scanner.text(), "a");
}

}  // namespace
}  // namespace cutd
