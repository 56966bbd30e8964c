// The batch judge against the double, its batches kept by a sink in memory: results by custom id, no item paid twice.
#include "judge_client/batch_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "judge_client/make_llm_judge.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;

class HandClock final : public Clock {
 public:
  std::int64_t wall_micros() const override { return SystemClock().wall_micros() + moved; }
  std::int64_t boot_millis() const override { return SystemClock().boot_millis(); }
  std::int64_t moved = 0;
};

class BatchSink final : public JudgeSink {
 public:
  std::vector<bool> before_send(std::span<const AttemptIntent>) override { throw Error(ErrorCode::kInternal, "alone"); }
  std::vector<bool> before_batch(const std::string& name, std::span<const AttemptIntent> intents) override {
    OpenBatch batch{name, "", clock.wall_micros(), {}};
    std::vector<bool> admitted;
    for (const AttemptIntent& intent : intents) {
      admitted.push_back(cap-- > 0);
      if (!admitted.back()) continue;
      reserved += intent.reserved_cost;
      batch.attempts.push_back({intent.id.request, ++tries[intent.id.request.value]});
    }
    open[name] = batch;
    return admitted;
  }
  void batch_created(const std::string& name, const std::string& provider_id) override {
    if (forget_ids) throw Error(ErrorCode::kInternal, "killed before the id was kept");
    open.at(name).provider_id = provider_id;
  }
  void batch_ended(const std::string& name, const std::string& failure) override {
    if (!failure.empty()) failures.push_back(failure);
    open.erase(name);
  }
  std::vector<OpenBatch> open_batches() override {
    std::vector<OpenBatch> list;
    for (const auto& [name, batch] : open) list.push_back(batch);
    return list;
  }
  void after_reply(AttemptId attempt, const RawReply&, const std::optional<Usage>& usage) override {
    ++replies;
    if (usage) cost += usage->cost;
    for (auto& [name, batch] : open) std::erase(batch.attempts, attempt);
  }
  void after_failure(AttemptId, const AttemptFailure& failure) override {
    (failure.charged_perhaps ? lost : not_run) += 1;
  }
  bool may_resend(AttemptId) override { return false; }
  void halted(const std::string& reason) override { halts.push_back(reason); }
  void health_changed(const JudgeHealth& changed) override { health.push_back(changed); }
  void finished(RequestId request, const JudgeOutcome& outcome) override { outcomes.emplace(request.value, outcome); }

  HandClock clock;
  std::int64_t cap = 1'000'000;
  bool forget_ids = false;
  std::map<std::string, OpenBatch> open;
  std::map<std::int64_t, std::int64_t> tries;
  std::map<std::int64_t, JudgeOutcome> outcomes;
  std::vector<std::string> failures, halts;
  std::vector<JudgeHealth> health;
  std::int64_t reserved = 0, cost = 0, replies = 0, lost = 0, not_run = 0;
};

class BatchJudgeTest : public testing::TestWithParam<const char*> {
 protected:
  // Its batches name another server for their results, which must never be asked: the key would go with it.
  void serve(const std::string& script) {
    Json with_trap = parse_json(script, "script");
    with_trap["batch_results_url"] = "https://elsewhere.example.com";
    server_.emplace(scripted_api(with_trap));
  }
  // A provider whose results, a list of lines, are as `change` makes them.
  void serve_results(const std::function<void(Json& line)>& change) {
    server_.emplace([api = scripted_api(), change](const FakeRequest& request) {
      FakeReply reply = api(request);
      if (request.path.ends_with("/results") || request.path.ends_with("/content")) {
        std::istringstream lines(std::exchange(reply.body, ""));
        for (std::string text; std::getline(lines, text);) {
          Json line = parse_json(text, "line");
          change(line);
          reply.body += to_json_text(line) + "\n";
        }
      }
      return reply;
    });
  }
  bool is_openai() const { return GetParam() == std::string("openai"); }
  // What a line says that the model answered, and the whole answer of it.
  static Json& answer_in(Json& line) {
    return line.contains("response") ? line["response"]["body"] : line["result"]["message"];
  }
  // Of the one request of a line.
  void refuse(Json& line) const {
    if (is_openai()) {
      line["response"] = {{"status_code", 429},
                          {"request_id", "q"},
                          {"body", fake_openai_error("no money", "insufficient_quota", "insufficient_quota")}};
    } else {
      line["result"] = {{"type", "errored"}, {"error", fake_anthropic_error("no credit", "billing_error")}};
    }
  }

  std::unique_ptr<Judge> judge(std::int64_t appears_seconds = 300) const {
    LlmAnnotator annotator;
    annotator.api = GetParam();
    annotator.base_url = server_->url();
    annotator.model = "judge-1";
    annotator.price = {2, -1, 8};
    annotator.allow_http = true;
    annotator.allow_private = {"127.0.0.1"};
    annotator.batch.gather_seconds = 0;
    annotator.batch.poll_seconds = 0;
    annotator.batch.max_requests = 8;
    annotator.batch.price_factor = price_factor_;
    annotator.batch.appears_seconds = appears_seconds;
    annotator.max_unusable_retries = unusable_retries_;
    return make_llm_judge(annotator, "canary-key", sink_.clock, true);
  }
  // One look of a judge that remembers nothing, as after a restart.
  void look(int items, std::int64_t appears_seconds = 300) {
    const auto fresh = judge(appears_seconds);
    for (int i = 1; i <= items; ++i) {
      if (!sink_.outcomes.contains(i))
        fresh->submit({RequestId{i}, "Name fruit " + std::to_string(i) + ".", "Apple.", true});
    }
    fresh->run({}, sink_);
  }
  std::size_t verdicts() const {
    std::size_t count = 0;
    for (const auto& [id, outcome] : sink_.outcomes) count += outcome.index() == 0 ? 1 : 0;
    return count;
  }

  std::optional<FakeLlmServer> server_;
  BatchSink sink_;
  double price_factor_ = 0.5;
  std::int64_t unusable_retries_ = 0;
};

TEST_P(BatchJudgeTest, SendsBatchesAndReadsTheirResultsByCustomId) {
  serve("{}");
  look(20);
  EXPECT_THAT(sink_.open, SizeIs(3));  // of at most eight
  EXPECT_THAT(sink_.outcomes, IsEmpty());
  look(20);
  EXPECT_EQ(verdicts(), 20U);
  EXPECT_THAT(sink_.open, IsEmpty());
  EXPECT_EQ(server_->counts().charged(), 20);
  EXPECT_GT(sink_.cost, 0);
  EXPECT_LE(sink_.cost, sink_.reserved);
  look(20);
  EXPECT_EQ(server_->counts().charged(), 20);
}

TEST_P(BatchJudgeTest, TellsOnceThatTheProviderDoesNotAnswerAndOnceThatItDoesAgain) {
  serve(R"({"faults": [{"status": 503, "at": [1, 2]}]})");
  const auto patient = judge();
  const auto look_again = [&] {
    if (sink_.open.empty() && verdicts() == 0) patient->submit({RequestId{1}, "Name a fruit.", "Apple.", true});
    patient->run({}, sink_);
  };
  look_again();
  look_again();
  ASSERT_THAT(sink_.health, SizeIs(1));
  EXPECT_FALSE(sink_.health[0].answers);
  EXPECT_THAT(sink_.health[0].message, HasSubstr("503"));
  for (int i = 0; i < 3; ++i) look_again();
  ASSERT_THAT(sink_.health, SizeIs(2));
  EXPECT_TRUE(sink_.health[1].answers);
  EXPECT_THAT(sink_.halts, IsEmpty());
}

TEST_P(BatchJudgeTest, GivesTheVerdictsThatSingleRequestsGet) {
  serve("{}");
  look(8);
  look(8);
  const auto expected = [&](int i) {
    LlmAnnotator annotator;
    annotator.api = GetParam();
    annotator.base_url = server_->url();
    annotator.model = "judge-1";
    const ChatRequest chat =
        judging_request(llm_judge_options(annotator, ""), {"Name fruit " + std::to_string(i) + ".", "Apple.", ""});
    return fake_judgment(
        chat_http_request(
            {std::string(GetParam()) == "openai" ? WireFormat::kOpenAi : WireFormat::kAnthropic, "http://x", ""}, chat)
            .body);
  };
  for (int i = 1; i <= 8; ++i) EXPECT_EQ(std::get<Verdict>(sink_.outcomes.at(i)).text, expected(i)) << i;
}

TEST_P(BatchJudgeTest, ShowsTheReferenceToAPromptThatComparesWithOne) {
  serve("{}");
  LlmAnnotator annotator;
  annotator.api = GetParam();
  annotator.base_url = server_->url();
  annotator.model = "judge-1";
  annotator.prompt = "verdict";
  annotator.allow_http = true;
  annotator.allow_private = {"127.0.0.1"};
  annotator.batch.gather_seconds = 0;
  annotator.batch.poll_seconds = 0;
  const auto judge = make_llm_judge(annotator, "", sink_.clock, true);
  const JudgeRequest request{RequestId{1}, "Name a fruit.", "A chair.", true, "Apple."};
  for (int i = 0; i < 2; ++i) {
    judge->submit(request);
    judge->run({}, sink_);
  }
  EXPECT_EQ(verdicts(), 1U);
}

TEST_P(BatchJudgeTest, WaitsWhileABatchIsWorkedOn) {
  serve(R"({"batch_polls": 3})");
  look(5);
  look(5);
  look(5);
  EXPECT_EQ(verdicts(), 0U);
  look(5);
  EXPECT_EQ(verdicts(), 5U);
  EXPECT_EQ(server_->counts().charged(), 5);
}

// P2b: the provider made the batch and its answer was lost.
TEST_P(BatchJudgeTest, FindsABatchWhoseCreationWasNotAnswered) {
  // OpenAI's creation is its second request, after the upload; Anthropic's its first.
  serve(std::string(R"({"faults": [{"drop": true, "at": [)") + (std::string(GetParam()) == "openai" ? "2" : "1") +
        "]}]}");
  look(5);
  ASSERT_THAT(sink_.open, SizeIs(1));
  EXPECT_EQ(sink_.open.begin()->second.provider_id, "");
  EXPECT_EQ(server_->counts().charged(), 5);
  for (int i = 0; i < 4 && verdicts() < 5; ++i) look(5);
  EXPECT_EQ(verdicts(), 5U);
  EXPECT_THAT(server_->counts().charges, Each(Pair(_, 1)));
}

// P2b: killed between the answer and keeping the id.
TEST_P(BatchJudgeTest, FindsABatchWhoseIdWasNotKept) {
  serve("{}");
  sink_.forget_ids = true;
  EXPECT_THROW(look(5), Error);
  sink_.forget_ids = false;
  for (int i = 0; i < 4 && verdicts() < 5; ++i) look(5);
  EXPECT_EQ(verdicts(), 5U);
  EXPECT_EQ(server_->counts().charged(), 5);
}

// The negative control of the two above: without looking it up, the items would be paid twice.
TEST_P(BatchJudgeTest, ForgettingAnOpenBatchWouldPayTwice) {
  serve("{}");
  look(5);
  sink_.open.clear();
  look(5);
  EXPECT_THAT(server_->counts().charges, Each(Pair(_, 2)));
}

TEST_P(BatchJudgeTest, ABatchThatTheProviderDoesNotKnowIsGivenUpAfterAWhile) {
  serve("{}");
  sink_.open["cutd-0123456789abcdef"] = {"cutd-0123456789abcdef", "", sink_.clock.wall_micros(), {{RequestId{1}, 1}}};
  look(1);
  EXPECT_THAT(sink_.failures, IsEmpty());  // it may appear yet
  EXPECT_EQ(server_->counts().charged(), 0);
  sink_.clock.moved += 301'000'000;
  look(1);
  ASSERT_THAT(sink_.failures, SizeIs(1));
  EXPECT_THAT(sink_.failures[0], HasSubstr("never created"));
  look(1);
  look(1);
  EXPECT_EQ(verdicts(), 1U);
  EXPECT_EQ(server_->counts().charged(), 1);
}

TEST_P(BatchJudgeTest, RequestsThatWereNotRunGoIntoTheNextBatch) {
  serve(R"({"batch_expire_every": 2})");
  for (int i = 0; i < 12 && verdicts() < 5; ++i) look(5);
  EXPECT_GE(sink_.not_run, 2);
  EXPECT_THAT(server_->counts().charges, Each(Pair(_, 1)));
  EXPECT_EQ(verdicts(), 5U);
}

TEST_P(BatchJudgeTest, UsedUpCreditInsideResultsHaltsOnceWhatArrivedIsSettled) {
  int count = 0;
  serve_results([&](Json& line) {
    if (++count > 3) refuse(line);
  });
  look(8);
  look(8);
  EXPECT_EQ(verdicts(), 3U);
  ASSERT_THAT(sink_.halts, SizeIs(1));
  EXPECT_THAT(sink_.halts[0], HasSubstr("credit or a spending limit at the provider is used up"));
  EXPECT_EQ(sink_.not_run, 5);
  EXPECT_THAT(sink_.outcomes, SizeIs(3));  // the others are as good as before
  EXPECT_THAT(sink_.open, IsEmpty());      // and nothing was sent again
}

TEST_P(BatchJudgeTest, AnswersThatAreNoJudgmentsGoIntoTheNextBatchWithinTheirBound) {
  const auto refuse_item_one = [&](Json& line) {
    if (!line["custom_id"].get<std::string>().ends_with("-1")) return;
    Json& answer = answer_in(line);
    if (is_openai()) answer["choices"][0]["message"]["content"] = "<html>x</html>";
    else answer["content"][0]["text"] = "<html>x</html>";
  };
  unusable_retries_ = 2;
  serve_results(refuse_item_one);
  for (int i = 0; i < 8; ++i) look(3);
  EXPECT_EQ(verdicts(), 2U);
  EXPECT_EQ(sink_.tries.at(1), 3);  // the first, and twice again
  EXPECT_EQ(sink_.tries.at(2), 1);
  EXPECT_EQ(std::get<JudgeFailure>(sink_.outcomes.at(1)).kind, JudgeFailureKind::kUnusable);
}

TEST_P(BatchJudgeTest, AnotherModelThanTheAskedOneHalts) {
  unusable_retries_ = 2;
  serve_results([&](Json& line) { answer_in(line)["model"] = "judge-1-preview"; });
  look(4);
  look(4);
  ASSERT_THAT(sink_.halts, SizeIs(1));
  EXPECT_THAT(sink_.halts[0], HasSubstr("\"judge-1-preview\" answered in place of \"judge-1\""));
  EXPECT_EQ(sink_.replies, 4);  // all of them paid
  look(4);
  EXPECT_THAT(server_->counts().charges, Each(Pair(_, 1)));
}

// P2b: a list that is longer than what is read of it says nothing.
TEST_P(BatchJudgeTest, ABatchThatMayStandFurtherDownAnEndlessListIsNotMadeAgain) {
  server_.emplace([api = scripted_api()](const FakeRequest& request) {
    FakeReply reply = api(request);
    if (request.method == "GET" && request.path.find("/batches?") != std::string::npos) {
      Json page = parse_json(reply.body, "page");
      Json other = page["data"].at(0);
      if (other.contains("metadata")) other["metadata"] = {{"cutd_batch", "another"}};
      else other["request_counts"]["succeeded"] = 999;
      other["id"] = other["id"].get<std::string>() + "9";
      other["created_at"] = other.contains("metadata") ? Json(4'000'000'000) : Json("2096-10-02T07:06:40Z");
      reply.body = to_json_text({{"data", Json::array({other})}, {"has_more", true}});
    }
    return reply;
  });
  sink_.forget_ids = true;
  EXPECT_THROW(look(5), Error);
  sink_.forget_ids = false;
  sink_.clock.moved += 301'000'000;  // long enough for a batch that the provider does not list
  look(5);
  look(5);
  EXPECT_THAT(sink_.open, SizeIs(1));
  EXPECT_THAT(sink_.failures, IsEmpty());
  EXPECT_EQ(server_->counts().charged(), 5);
}

TEST_P(BatchJudgeTest, AListIsReadBackToTheBatchsTimeOnly) {
  server_.emplace([api = scripted_api()](const FakeRequest& request) {
    FakeReply reply = api(request);
    if (request.method == "GET" && request.path.find("/batches?") != std::string::npos) {
      const Json old = {
          {"id", "batch_7"}, {"status", "completed"}, {"created_at", 1700000000}, {"processing_status", "ended"}};
      Json one = old;
      if (request.path.find("/messages/") != std::string::npos) one["created_at"] = "2023-11-14T22:13:20Z";
      reply.body = to_json_text({{"data", Json::array({one})}, {"has_more", true}});
    }
    return reply;
  });
  sink_.open["cutd-0123456789abcdef"] = {"cutd-0123456789abcdef", "", sink_.clock.wall_micros(), {{RequestId{1}, 1}}};
  sink_.clock.moved += 301'000'000;
  look(1);
  ASSERT_THAT(sink_.failures, SizeIs(1));
  EXPECT_THAT(sink_.failures[0], HasSubstr("never created"));
}

TEST_P(BatchJudgeTest, SendsNothingThatTheSinkDoesNotAdmit) {
  serve("{}");
  sink_.cap = 3;
  look(5);
  look(5);
  EXPECT_EQ(verdicts(), 3U);
  EXPECT_EQ(server_->counts().charged(), 3);
}

TEST_P(BatchJudgeTest, AWrongKeyHaltsAndNothingStaysOpen) {
  serve(R"({"api_key": "another"})");
  look(5);
  ASSERT_THAT(sink_.halts, SizeIs(1));
  EXPECT_THAT(sink_.halts[0], AllOf(HasSubstr("correct the credential"), ::testing::Not(HasSubstr("canary-key"))));
  EXPECT_EQ(server_->counts().charged(), 0);
}

TEST_P(BatchJudgeTest, UsesHalfThePrice) {
  serve("{}");
  look(4);
  look(4);
  const std::int64_t half = sink_.cost;
  sink_ = BatchSink();
  price_factor_ = 1;
  look(4);
  look(4);
  EXPECT_THAT(2 * half, AllOf(Ge(sink_.cost), Le(sink_.cost + 4)));  // each is rounded up
}

INSTANTIATE_TEST_SUITE_P(Apis, BatchJudgeTest, testing::Values("openai", "anthropic"),
                         [](const auto& api) { return std::string(api.param); });

}  // namespace
}  // namespace cutd
