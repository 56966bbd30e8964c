#include "round/judge_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/files.h"
#include "judge_client/make_llm_judge.h"
#include "support/fake_llm/fake_api.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class JudgeTrialTest : public testing::Test {
 protected:
  Trial run(const std::string& script, std::int64_t budget = 10'000'000, const std::string& prompt = "cut-fig8") {
    server_.emplace(scripted_api(parse_json(script, "script")));
    LlmAnnotator annotator;
    annotator.base_url = server_->url();
    annotator.model = "judge-1";
    annotator.prompt = prompt;
    annotator.price = {1, -1, 4};
    annotator.allow_http = true;
    annotator.allow_private = {"127.0.0.1"};
    LlmJudgeOptions options = llm_judge_options(annotator, "canary-key");
    options.client.retry.sends = 2;
    options.client.retry.first_ms = 1;
    options.client.retry.parks = 0;
    LlmJudge judge(options, clock_);
    return run_trial(judge, built_in_trial_items(), "critic", budget, folder_.path(), clock_, {});
  }
  static std::size_t verdicts(const Trial& trial) {
    std::size_t count = 0;
    for (const TrialResult& result : trial.results) count += result.outcome && result.outcome->index() == 0 ? 1 : 0;
    return count;
  }

  const TemporaryDirectory folder_;
  SystemClock clock_;
  std::optional<FakeLlmServer> server_;
};

TEST_F(JudgeTrialTest, JudgesTenItemsAndKeepsWhatTheyCost) {
  const Trial trial = run("{}");
  EXPECT_EQ(verdicts(trial), 10U);
  EXPECT_FALSE(trial.halted);
  EXPECT_GT(trial.spent, 0);
  const TrialSpending kept = trial_spending(folder_.path());
  EXPECT_EQ(kept.requests, server_->counts().hits);
  EXPECT_EQ(kept.spent, trial.spent);
  EXPECT_EQ(kept.unknown, 0);
  EXPECT_THAT(read_file(folder_ / "trials.jsonl"), testing::Not(HasSubstr("canary-key")));
}

TEST_F(JudgeTrialTest, ItsOwnItemsSuitEveryBuiltInPrompt) {
  for (const std::string& prompt : built_in_judging_prompts()) {
    if (prompt == "yes-no") continue;  // the double does not end with a decision
    EXPECT_EQ(verdicts(run("{}", 10'000'000, prompt)), 10U) << prompt;
  }
}

TEST_F(JudgeTrialTest, NeverPassesItsBudget) {
  const Trial trial = run("{}", 3'000);
  EXPECT_LT(verdicts(trial), 10U);
  EXPECT_LE(trial.spent, 3'000);
  EXPECT_EQ(server_->counts().hits, trial_spending(folder_.path()).requests);
}

TEST_F(JudgeTrialTest, LostAnswersStayCharged) {
  const Trial trial = run(R"({"faults": [{"drop": true}]})");
  EXPECT_EQ(verdicts(trial), 0U);
  const TrialSpending kept = trial_spending(folder_.path());
  EXPECT_EQ(kept.requests, server_->counts().hits);
  EXPECT_GT(kept.unknown, 0);
  EXPECT_EQ(kept.unknown, trial.spent);
}

TEST_F(JudgeTrialTest, AnIntentWithoutAnEndCountsAsCharged) {
  std::ofstream(folder_ / "trials.jsonl")
      << R"({"trial":"a","annotator":"critic","item":1,"number":1,"state":"intent","amount":70,"at":"x"})"
      << "\n";
  EXPECT_EQ(trial_spending(folder_.path()).spent, 70);
  EXPECT_EQ(trial_spending(folder_.path()).unknown, 70);
}

TEST_F(JudgeTrialTest, EndsAtOnceWhenTheAnnotatorIsAtFault) {
  const Trial trial =
      run(R"({"faults": [{"status": 402, "error": {"type": "billing_error", "message": "no credit"}}]})");
  ASSERT_TRUE(trial.halted);
  EXPECT_THAT(*trial.halted, HasSubstr("add credit"));
  EXPECT_EQ(trial.spent, 0);
}

TEST_F(JudgeTrialTest, ReadsItemsOfBothKinds) {
  std::ofstream(folder_ / "items.jsonl")
      << R"({"instruction": "Say hi.", "response": "Hi."})"
      << "\n"
      << R"({"instruction": "Add.", "input": "1 and 2", "output": "3", "reference": "3."})"
      << "\n"
      << R"({"instruction": "Stop.", "response": "No."})"
      << "\n";
  const auto items = read_trial_items(folder_ / "items.jsonl", 2);
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[1].instruction, "Add.\n1 and 2");
  EXPECT_EQ(items[1].response, "3");
  EXPECT_EQ(items[1].reference, "3.");
  EXPECT_EQ(items[0].reference, "");
}

}  // namespace
}  // namespace cutd
