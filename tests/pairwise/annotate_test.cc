#include "pairwise/annotate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "core/files.h"
#include "llm_api/http_support.h"
#include "pairwise/head_to_head.h"
#include "pairwise/journal.h"
#include "support/error_of.h"
#include "support/fake_llm/fake_api.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFirstWins = R"({"text":"[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"})";

class AnnotatePairsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.evaluator = read_evaluator("alpaca_eval_gpt4");
    options_.journal = folder_ / "annotations.json.journal";
    options_.max_cost = 100'000'000;
    options_.http = local_http();
    options_.retry.first_ms = 1;
    options_.retry.cap_ms = 2;
    options_.retry.parks = 0;
    for (int i = 0; i < 20; ++i) pairs_.push_back(pair(i));
  }

  static PairAnnotation pair(int i) {
    const std::string number = std::to_string(i);
    return {"instruction " + number, "one " + number, "two " + number, "base", "mine", "judge", std::nullopt,
            Json::object()};
  }

  void serve(const std::string& script) {
    server_.emplace(scripted_api(parse_json(script, "script")));
    options_.evaluator.base_url = server_->url();
  }

  AnnotateResult annotate(std::stop_token stop = {}) { return annotate_pairs(pairs_, options_, clock_, stop, {}); }
  std::int64_t hits() const { return server_->counts().hits; }

  TemporaryDirectory folder_;
  SystemClock clock_;
  AnnotateOptions options_;
  std::vector<PairAnnotation> pairs_;
  std::optional<FakeLlmServer> server_;
};

TEST_F(AnnotatePairsTest, JudgesEachPairOnceInBothOrders) {
  serve(kFirstWins);
  const AnnotateResult result = annotate();
  int reference = 0;
  for (const PairAnnotation& annotation : result.annotations) {
    ASSERT_TRUE(annotation.preference);
    reference += *annotation.preference == 1;
    EXPECT_GT(annotation.other.at("price_per_example").get<double>(), 0);
    EXPECT_THAT(annotation.other.at("raw_completion").get<std::string>(), HasSubstr("model_1"));
  }
  EXPECT_GT(reference, 0);   // the one shown first won each time,
  EXPECT_LT(reference, 20);  // which was the model's in some
  EXPECT_EQ(hits(), 20);
  EXPECT_EQ(result.progress.finished, 20);
  EXPECT_GT(result.progress.spent, 0);
}

TEST_F(AnnotatePairsTest, RunAgainItPaysForNothing) {
  serve(kFirstWins);
  const AnnotateResult first = annotate();
  const AnnotateResult again = annotate();
  EXPECT_EQ(hits(), 20);
  EXPECT_EQ(again.progress.reused, 20);
  EXPECT_EQ(again.progress.spent, first.progress.spent);
  EXPECT_EQ(annotations_json(again.annotations), annotations_json(first.annotations));
  options_.evaluator.prompt += " ";  // another prompt asks anew
  annotate();
  EXPECT_EQ(hits(), 40);
}

TEST_F(AnnotatePairsTest, IdenticalOutputsAreDrawsAndDuplicatesAreJudgedOnce) {
  serve(kFirstWins);
  pairs_ = {pair(1), pair(1), pair(2)};
  pairs_[2].output_2 = pairs_[2].output_1;
  const AnnotateResult result = annotate();
  EXPECT_EQ(hits(), 1);
  EXPECT_EQ(result.annotations[0].preference, result.annotations[1].preference);
  EXPECT_EQ(result.annotations[2].preference, 1.5);
}

TEST_F(AnnotatePairsTest, WhatIsNoVerdictIsMissingAndNotAskedAgain) {
  serve(R"({"text":"I would rather not rank them."})");
  const AnnotateResult result = annotate();
  EXPECT_EQ(result.unparsed, 20);
  for (const PairAnnotation& annotation : result.annotations) EXPECT_FALSE(annotation.preference);
  EXPECT_EQ(score_annotations(result.annotations).missing, 20);
  annotate();
  EXPECT_EQ(hits(), 20);
}

TEST_F(AnnotatePairsTest, AReplyThatIsCutOrFilteredIsMissing) {
  serve(R"({"text":"[{'model': 'model_1', 'rank': 1}]","faults":[{"every":1,"finish":"length"}]})");
  EXPECT_EQ(annotate().unparsed, 20);
}

TEST_F(AnnotatePairsTest, ALostAnswerStaysChargedAndIsNotSentAgain) {
  serve(R"({"text":"[{'model': 'model_1', 'rank': 1}]","faults":[{"at":[1],"drop":true}]})");
  pairs_.resize(1);
  const AnnotateResult result = annotate();
  EXPECT_EQ(result.unknown, 1);
  EXPECT_GT(result.progress.spent, 0);
  EXPECT_EQ(annotate().unknown, 1);
  EXPECT_EQ(hits(), 1);
  options_.resend_unknown = true;
  EXPECT_TRUE(annotate().annotations[0].preference);
  EXPECT_EQ(hits(), 2);
}

TEST_F(AnnotatePairsTest, ACrashBetweenAttemptAndReplyIsSeenAsALostAnswer) {
  serve(kFirstWins);
  annotate();
  const std::string journal = read_file(options_.journal);  // of 20 attempts; keep the intents and a torn reply
  std::string kept;
  for (std::size_t at = 0, end = 0; (end = journal.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = journal.substr(at, end - at + 1);
    if (line.find("\"event\":\"attempt\"") != std::string::npos) kept += line;
  }
  write_file_durably(options_.journal, kept + R"({"event":"reply","key":"ab)");
  const AnnotateResult result = annotate();
  EXPECT_EQ(result.unknown, 20);
  EXPECT_EQ(hits(), 20);
  EXPECT_EQ(read_file(options_.journal), kept);
}

TEST_F(AnnotatePairsTest, NeverPassesTheCap) {
  serve(kFirstWins);
  const AnnotateEstimate estimate = estimate_annotation(pairs_, options_.evaluator);
  EXPECT_EQ(estimate.calls, 20);
  options_.max_cost = estimate.most_cost / 4;
  const AnnotateResult result = annotate();
  EXPECT_GT(result.capped, 0);
  EXPECT_LE(result.progress.spent, options_.max_cost);
  EXPECT_LT(hits(), 20);
  options_.max_cost = 0;
  EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { annotate(); }), HasSubstr("--max-usd"));
}

TEST_F(AnnotatePairsTest, ASpendLimitStopsAtOnceAndTheRestIsLeft) {
  serve(R"({"faults":[{"every":1,"status":429,"error":{"code":"insufficient_quota","type":"insufficient_quota"}}]})");
  const AnnotateResult result = annotate();
  EXPECT_FALSE(result.paused.empty());
  EXPECT_GT(result.left, 0);
  EXPECT_EQ(result.progress.spent, 0);
  serve(kFirstWins);
  EXPECT_EQ(score_annotations(annotate().annotations).figures.n_total, 20);
}

// Key, model and address are wrong for all pairs alike: 805 requests would say the same.
TEST_F(AnnotatePairsTest, WhatIsWrongWithTheEvaluatorStopsAtOnceAndTheRestIsLeft) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"api_key":"another"})", "correct the credential"},
      {R"({"model":"another"})", "check model and base URL"},
      {R"({"faults":[{"redirect":"https://elsewhere.example.com"}]})", "which is never followed"},
      {R"({"faults":[{"status":403}]})", "check its permissions"}};
  options_.http.max_in_flight = 2;
  for (const auto& [script, advice] : cases) {
    serve(script);
    const AnnotateResult result = annotate();
    EXPECT_THAT(result.paused, HasSubstr(advice));
    EXPECT_LE(hits(), 6) << script;  // those under way; of 403 it takes five
    EXPECT_EQ(result.left + result.failed, 20) << script;
    EXPECT_EQ(result.progress.spent, 0) << script;
  }
  serve(kFirstWins);
  EXPECT_EQ(score_annotations(annotate().annotations).figures.n_total, 20);
}

TEST_F(AnnotatePairsTest, AnAddressThatIsNotPermittedStopsAtOnceToo) {
  serve(kFirstWins);
  options_.http.allow_private.clear();
  const AnnotateResult result = annotate();
  EXPECT_THAT(result.paused, HasSubstr("allow_private"));
  EXPECT_EQ(result.left, 20);
  EXPECT_EQ(hits(), 0);
}

TEST_F(AnnotatePairsTest, ARequestThatIsRefusedIsThatPairsFailureAloneAndCountedByReason) {
  serve(R"({"text":"[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]",)"
        R"("faults":[{"every":2,"status":400,"error":{"message":"too long"}}]})");
  const AnnotateResult result = annotate();
  EXPECT_EQ(result.paused, "");
  EXPECT_EQ(result.failed, 10);
  ASSERT_EQ(result.reasons.size(), 1U);
  EXPECT_THAT(result.reasons.begin()->first, HasSubstr("too long"));
  EXPECT_EQ(result.reasons.begin()->second, 10);
}

TEST_F(AnnotatePairsTest, ReadsWeightsFromTheFirstToken) {
  serve(R"({"text":"m","logprobs":{"m":-0.2231435513,"M":-1.6094379124},"faults":[{"every":1,"finish":"length"}]})");
  options_.evaluator = read_evaluator("weighted_alpaca_eval_gpt4_turbo");
  options_.evaluator.base_url = server_->url();
  const AnnotateResult result = annotate();
  for (const PairAnnotation& annotation : result.annotations) {
    ASSERT_TRUE(annotation.preference);
    EXPECT_NEAR(std::fabs(*annotation.preference - 1.5), 0.3, 1e-6);
  }
}

TEST(PairJournalTest, IsHeldByOneProcess) {
  const TemporaryDirectory folder;
  const PairJournal journal(folder / "journal");
  error_of(ErrorCode::kBusy, [&] { PairJournal(folder / "journal"); });
}

TEST(JoinOutputsTest, JoinsByInstructionInTheReferencesOrder) {
  const auto output = [](const char* instruction, const char* text, const char* generator, Json other) {
    return ModelOutput{instruction, text, generator, std::move(other)};
  };
  const std::vector<ModelOutput> reference = {output("b", "rb", "base", {{"dataset", "x"}, {"datasplit", "eval"}}),
                                              output("a", "ra", "base", {{"dataset", "y"}, {"datasplit", "eval"}}),
                                              output("only here", "", "base", {})};
  const std::vector<ModelOutput> mine = {output("a", "ma", "mine", {{"dataset", "y"}, {"datasplit", "test"}}),
                                         output("b", "mb", "mine", {{"dataset", "x"}, {"datasplit", "test"}})};
  const std::vector<PairAnnotation> pairs = join_outputs(reference, mine, "judge");
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].output_1, "rb");
  EXPECT_EQ(pairs[0].output_2, "mb");
  EXPECT_EQ(pairs[0].generator_2, "mine");
  EXPECT_EQ(pairs[0].other.dump(), R"({"dataset":"x","datasplit_1":"eval","datasplit_2":"test"})");
  error_of(ErrorCode::kBadInput, [&] { join_outputs(reference, {output("z", "", "mine", {})}, "judge"); });
}

}  // namespace
}  // namespace cutd
