#include "engine/output_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

TEST(OutputLogTest, KeepsTheLastLines) {
  OutputLog log("");
  log.append("one\ntwo\r\nthree\nfo");
  log.append("ur");
  EXPECT_EQ(log.tail(2), "three | four");
  EXPECT_EQ(log.tail(9), "one | two | three | four");
}

TEST(OutputLogTest, ANewProcessStartsWithoutATail) {
  OutputLog log("");
  log.append("old\n");
  log.begin_process("--- new ---");
  EXPECT_EQ(log.tail(), "");
}

TEST(OutputLogTest, CutsALineThatNeverEnds) {
  OutputLog log("");
  for (int i = 0; i < 1000; ++i) log.append(std::string(100, 'x'));
  EXPECT_EQ(log.tail().size(), 300U);
}

TEST(OutputLogTest, TheFileAndItsPredecessorStayBounded) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "engine.log";
  OutputLog log(path, 1000);
  for (int i = 0; i < 100; ++i) log.append(std::string(99, 'x') + "\n");
  log.append("the end\n");
  EXPECT_LE(std::filesystem::file_size(path), 1000U);
  EXPECT_LE(std::filesystem::file_size(path.string() + ".1"), 1100U);
  EXPECT_THAT(read_file(path), ::testing::HasSubstr("the end"));
}

}  // namespace
}  // namespace cutd
