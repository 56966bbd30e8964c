#include "cutd/eval_run_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

AnnotateResult result_of(std::int64_t unparsed, std::int64_t failed) {
  AnnotateResult result;
  result.unparsed = unparsed;
  result.failed = failed;
  return result;
}

TEST(EvalRunViewTest, HasNoAdviceWhenEveryPairWasAskedAbout) {
  AnnotateResult result = result_of(3, 0);
  result.reasons["the text is no list"] = 3;
  EXPECT_EQ(eval_run_advice(result), "");
  EXPECT_THAT(eval_run_text(result, "a.json"), HasSubstr("  3 x the text is no list\n"));
}

TEST(EvalRunViewTest, SaysWhyItStoppedAndThatThisIsToBePutRightFirst) {
  AnnotateResult result;
  result.left = 805;
  result.paused = "HTTP 401: the API does not accept the key: correct the credential";
  EXPECT_THAT(eval_run_advice(result),
              AllOf(HasSubstr("stopped: HTTP 401: the API does not accept the key: correct the credential\n"),
                    HasSubstr("put that right first")));
  EXPECT_EQ(eval_run_json(result, "a.json").at("paused"), result.paused);
}

TEST(EvalRunViewTest, NamesTheReasonsMostPairsFirst) {
  AnnotateResult result = result_of(0, 12);
  result.reasons = {{"a is rare", 1}, {"b is common", 9}, {"c is neither", 2}};
  EXPECT_THAT(eval_run_advice(result), HasSubstr("12 pairs failed, most often: b is common\n"));
  EXPECT_THAT(eval_run_text(result, "a.json"), HasSubstr("  9 x b is common\n  2 x c is neither\n  1 x a is rare\n"));
  EXPECT_EQ(eval_run_json(result, "a.json").at("reasons").at(0).dump(), R"({"reason":"b is common","pairs":9})");
}

TEST(EvalRunViewTest, NamesTheFlagThatHelps) {
  AnnotateResult result = result_of(0, 2);
  result.unknown = 2;
  result.capped = 5;
  result.reasons["lost"] = 2;
  EXPECT_THAT(eval_run_advice(result),
              AllOf(HasSubstr("2 answers were lost and may be charged: --resend-unknown"),
                    HasSubstr("5 pairs are over the cap: raise --max-usd"), Not(HasSubstr("put that right"))));
}

TEST(EvalRunViewTest, HasNoWinRateWithoutAVerdict) {
  EXPECT_THAT(eval_run_text(AnnotateResult(), "a.json"), HasSubstr("no win rate"));
}

}  // namespace
}  // namespace cutd
