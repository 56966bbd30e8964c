#include "engine/line_buffer.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cutd {
namespace {

TEST(LineBufferTest, JoinsPiecesAndSplitsLines) {
  LineBuffer buffer(100);
  buffer.append("on");
  EXPECT_FALSE(buffer.next_line());
  buffer.append("e\ntwo\nthr");
  EXPECT_EQ(buffer.next_line(), "one");
  EXPECT_EQ(buffer.next_line(), "two");
  EXPECT_FALSE(buffer.next_line());
  buffer.append("ee\n\n");
  EXPECT_EQ(buffer.next_line(), "three");
  EXPECT_EQ(buffer.next_line(), "");
  EXPECT_FALSE(buffer.next_line());
}

TEST(LineBufferTest, RefusesALineThatNeverEnds) {
  LineBuffer buffer(10);
  buffer.append("0123456789");
  EXPECT_THROW(buffer.append("x"), Error);
}

TEST(LineBufferTest, RefusesALongLineThatArrivesAtOnce) {
  LineBuffer buffer(10);
  buffer.append("short\n0123456789x\n");
  EXPECT_EQ(buffer.next_line(), "short");
  EXPECT_THROW(buffer.next_line(), Error);
}

TEST(LineBufferTest, TakesALineOfExactlyTheBound) {
  LineBuffer buffer(10);
  buffer.append("0123456789\n");
  EXPECT_EQ(buffer.next_line(), "0123456789");
}

}  // namespace
}  // namespace cutd
