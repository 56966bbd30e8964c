#include "judge_client/verdict.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace cutd {
namespace {

bool is_perfect(std::string_view reply) { return std::get<Verdict>(parse_perfect_prefix(reply)).perfect; }
bool is_failure(std::string_view reply) { return std::holds_alternative<JudgeFailure>(parse_perfect_prefix(reply)); }

TEST(VerdictTest, TakesThePrefixAndTheSingleWord) {
  for (const char* reply : {"Perfect.", "Perfect. Well done.", " perfect \n", "'perfect'", "\"Perfect!\"", "PERFECT."})
    EXPECT_TRUE(is_perfect(reply)) << reply;
}

TEST(VerdictTest, NeverSearchesInsideTheText) {
  for (const char* reply : {"Almost perfect.", "It is perfect.", "Perfectly fine.", "perfect answer", "Perfect!! no"})
    EXPECT_FALSE(is_perfect(reply)) << reply;
}

TEST(VerdictTest, FailsOnRepliesThatSayNothing) {
  EXPECT_TRUE(is_failure(""));
  EXPECT_TRUE(is_failure("  \n"));
  EXPECT_TRUE(is_failure(std::string_view("Perfect.\0", 9)));
  EXPECT_TRUE(is_failure("too \xff long"));
}

TEST(VerdictTest, SaysThatWordsAreNoJsonWithoutAParsersComplaint) {
  const JudgeOutcome outcome = parse_verdict({"json_schema", 10, false}, "The capital of France is Paris.");
  const std::string reason = std::get<JudgeFailure>(outcome).reason;
  EXPECT_TRUE(reason.starts_with("it is no JSON object: ")) << reason;
}

TEST(VerdictTest, NamesAnUnknownParser) { EXPECT_THROW(parse_verdict({"magic", 10, false}, "Too long."), Error); }

}  // namespace
}  // namespace cutd
