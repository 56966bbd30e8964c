// The judgments of the authors' own rounds. Of the 1,005 that their files hold as negatives, and that were trained on,
// 51 are the word $ERROR$, a request that failed, and 36 are praise ("The response is perfect."); the others are
// criticisms, and none of those may be refused.
#include <gmock/gmock.h>

#include "core/json.h"
#include "judge_client/judging_prompt.h"
#include "support/golden.h"

namespace cutd {
namespace {

TEST(AuthorsJudgmentsTest, AreTakenAndTheirErrorsRefused) {
  const std::filesystem::path folder = golden_folder().parent_path() / "cut-iterations";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no " << folder;
  const VerdictRule rule = judging_prompt("cut-fig8").rule;
  std::size_t taken = 0, refused = 0;
  std::vector<std::string> praise;
  for (int i = 1; i <= 4; ++i) {
    for (const Json& row : read_json_file(folder / ("iter" + std::to_string(i) + ".json"))) {
      if (row["judgment"].is_null()) continue;
      const std::string text = row["judgment"].get<std::string>();
      const JudgeOutcome outcome = parse_verdict(rule, text);
      const auto* failure = std::get_if<JudgeFailure>(&outcome);
      if (text == "$ERROR$") {
        EXPECT_NE(failure, nullptr);
        ++refused;
        continue;
      }
      if (failure != nullptr) {
        EXPECT_THAT(failure->reason, ::testing::HasSubstr("praises")) << text;
        praise.push_back(text);
        continue;
      }
      EXPECT_FALSE(std::get<Verdict>(outcome).perfect) << text;
      ++taken;
    }
  }
  EXPECT_EQ(taken + praise.size(), 954U);
  EXPECT_EQ(praise.size(), 36U);
  EXPECT_THAT(praise, ::testing::Each(::testing::StartsWith("The response is perfect")));
  EXPECT_EQ(refused, 51U);
}

}  // namespace
}  // namespace cutd
