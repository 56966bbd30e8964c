#include "core/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/error.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using testing::ExitedWithCode;

TEST(ProgramTest, AnActionsExitCodeIsThePrograms) {
  EXPECT_EQ(run_reporting_errors("cutd", [] { return 4; }), 4);
}

TEST(ProgramTest, AnErrorIsSaidWithTheProgramsName) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_reporting_errors("cutd", []() -> int { throw Error(ErrorCode::kBadInput, "a.json:3: no comma"); }),
            kExitBadInput);
  EXPECT_EQ(run_reporting_errors("cutd", []() -> int { throw std::runtime_error("odd"); }), kExitUnexpected);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "cutd: a.json:3: no comma\ncutd: unexpected failure: odd\n");
}

TEST(ProgramTest, EndsWithItsCodeAndWithWhatWasPrinted) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "printed";
  const auto print_and_end = [&] {
    if (std::freopen(path.c_str(), "w", stdout) == nullptr) std::abort();
    std::fputs("the last words", stdout);
    end_process(3);
  };
  EXPECT_EXIT(print_and_end(), ExitedWithCode(3), "");
  std::stringstream printed;
  printed << std::ifstream(path).rdbuf();
  EXPECT_EQ(printed.str(), "the last words");
}

}  // namespace
}  // namespace cutd
