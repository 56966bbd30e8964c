// The service's judges, each in a thread of its own: what a sick one holds up, what a pause stops, what is said.
#include "round/judge_workers.h"

#include <atomic>
#include <thread>

#include "judge_client/make_llm_judge.h"
#include "round/round_fixture.h"
#include "round/run_service.h"
#include "store/attempts.h"
#include "support/fake_llm/fake_api.h"
#include "support/manual_clock.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using std::chrono::milliseconds;

class JudgeWorkersTest : public testing::Test {
 protected:
  JudgeWorkersTest()
      : files_(folder_.path()),
        server_([this, healthy = scripted_api()](const FakeRequest& request) { return answer(request, healthy); }),
        store_(folder_ / "data", clock_, log_) {}

  // Sick: all, or those whose text holds `told_to_wait_`, which are told to come back in half an hour.
  FakeReply answer(const FakeRequest& request, const FakeHandler& healthy) {
    const bool told = !told_to_wait_.empty() && request.body.find(told_to_wait_) != std::string::npos;
    FakeReply reply;
    if (!sick_ && !told) {
      reply = healthy(request);
      reply.delay_ms = latency_ms_;
      return reply;
    }
    reply.status = 503;
    reply.body = to_json_text(fake_openai_error("no capacity", "server_error", ""));
    reply.charged = false;
    if (told) reply.headers = {{"Retry-After", "1800"}};
    return reply;
  }

  void begin(const Clock& judges_clock) {
    RunServiceOptions options{scripted_text, {}, milliseconds(20), milliseconds(50), free_disk_bytes};
    options.judges = [this, &judges_clock](const AnnotatorConfig& config) -> std::unique_ptr<Judge> {
      if (!asks_over_http(config)) return make_judge(config);
      ++made_;
      LlmJudgeOptions judge = llm_judge_options(config.llm, "canary-key");
      judge.client.poll_ms = 2;
      return std::make_unique<LlmJudge>(judge, judges_clock);
    };
    service_ = std::make_unique<RunService>(store_, engine_, options, clock_, log_);
    service_->begin();
  }

  Json critic(std::int64_t max_in_flight = 256) const {
    return {{"name", "critic"},
            {"kind", "llm"},
            {"llm",
             {{"base_url", url_.empty() ? server_.url() : url_},
              {"model", "judge-1"},
              {"price", {{"input", 1}, {"output", 4}}},
              {"caps", {{"request", 0.1}, {"round", 50}, {"day", 60}, {"total", 100}}},
              {"max_in_flight", max_in_flight},
              {"allow_http", true},
              {"allow_private", {"127.0.0.1"}}}}};
  }
  RunId start(const Json& annotators, std::int64_t rounds = 2) {
    const Json changes = {
        {"annotators", annotators}, {"run", {{"rounds", rounds}}}, {"quorum", {{"rule", "weighted"}}}};
    return service_->start(files_.config(changes), files_.reader());
  }
  void hold_out(const std::string& name, int count) {
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) texts.push_back("Explain what " + name + " number " + std::to_string(i) + " is.");
    files_.files["gate.jsonl"] = instruction_lines(texts);
  }

  std::int64_t number(const std::string& sql) {
    return store_.read([&](Reader& reader) { return reader.database().integer(sql.c_str()); });
  }
  RunState state(RunId run) {
    return store_.read([&](Reader& reader) { return find_run(reader, run)->state; });
  }
  // Polls for at most 30 s; `meanwhile` between two looks.
  void await(const std::function<bool()>& fact, const std::function<void()>& meanwhile = {}) {
    for (int i = 0; i < 6000; ++i) {
      if (fact()) return;
      if (meanwhile) meanwhile();
      std::this_thread::sleep_for(milliseconds(5));
    }
    FAIL() << "it never came";
  }
  std::function<void()> seconds_pass(std::int64_t seconds) {
    return [this, seconds] { manual_.advance_ms(seconds * 1000); };
  }
  std::vector<std::string> said() {
    std::vector<std::string> texts;
    for (const ProgressMessage& message : service_->progress().messages_after(0)) texts.push_back(message.text);
    return texts;
  }
  // What is said of a change comes after it.
  void await_saying(const std::string& text) {
    await([&] { return testing::Value(said(), Contains(text)); });
  }

  const TemporaryDirectory folder_{fast_folder()};
  RunFiles files_;
  SystemClock clock_;
  ManualClock manual_;
  NullLogger log_;
  ScriptedEngine engine_;
  std::string url_;  // in place of the server's
  std::string told_to_wait_;
  std::atomic<bool> sick_{false};
  std::atomic<std::int64_t> latency_ms_{0};
  std::atomic<int> made_{0};
  FakeLlmServer server_;
  Store store_;
  std::unique_ptr<RunService> service_;
};

TEST_F(JudgeWorkersTest, ASickJudgeHoldsUpNeitherPeopleNorAnotherAnnotator) {
  sick_ = true;
  begin(clock_);
  start({critic(), {{"name", "editor"}, {"kind", "rule"}}, {{"name", "reviewers"}, {"kind", "human"}}});
  await([&] {
    return number(
               "SELECT count(*) FROM judgment JOIN annotator ON annotator.id = annotator_id "
               "WHERE name = 'editor' AND state = 'done'") == 4 &&
           number("SELECT count(*) FROM task") == 4;
  });
  await([&] { return server_.counts().hits > 0; });
  EXPECT_EQ(number("SELECT count(*) FROM judgment JOIN annotator ON annotator.id = annotator_id "
                   "WHERE name = 'critic' AND state = 'pending'"),
            4);
}

TEST_F(JudgeWorkersTest, WhatComesWhileAnItemWaitsIsJudgedBeforeIt) {
  told_to_wait_ = "basket";
  begin(clock_);
  const RunId held_up = start(Json::array({critic()}), 1);
  await([&] { return number("SELECT count(*) FROM judgment WHERE state = 'done'") == 3; });
  hold_out("vase", 3);
  const RunId other = start(Json::array({critic()}), 1);  // the same annotator
  EXPECT_EQ(service_->wait(other, {}, {}), RunState::kCompleted);
  EXPECT_EQ(state(held_up), RunState::kActive);
}

TEST_F(JudgeWorkersTest, AJudgeStaysFromPassToPassWithWhatItHasLearned) {
  begin(clock_);
  EXPECT_EQ(service_->wait(start(Json::array({critic()})), {}, {}), RunState::kCompleted);
  EXPECT_EQ(made_, 1);
}

class JudgeCommandsTest : public JudgeWorkersTest {
 protected:
  // A run whose forty baseline responses are being judged slowly, two at a time.
  RunId start_slowly() {
    hold_out("tool", 40);
    latency_ms_ = 60;
    begin(clock_);
    const RunId run = start(Json::array({critic(2)}), 1);
    await([&] { return server_.counts().hits >= 4; });
    return run;
  }
  std::int64_t attempts() { return number("SELECT count(*) FROM judge_attempt"); }
  // What was under way has its reply, and nothing else was begun.
  void expect_no_more_than(std::int64_t begun) {
    std::this_thread::sleep_for(milliseconds(400));
    EXPECT_EQ(attempts(), begun);
    EXPECT_EQ(server_.counts().hits, begun);
    EXPECT_EQ(number("SELECT count(*) FROM judge_attempt WHERE state = 'received'"), begun);
    EXPECT_LT(begun, 30);
  }
};

TEST_F(JudgeCommandsTest, AfterAPauseNoPaidRequestBeginsAndAfterAResumeAllAreJudgedOnce) {
  const RunId run = start_slowly();
  service_->pause(run, "lunch");
  expect_no_more_than(attempts());
  latency_ms_ = 0;
  service_->resume(run, "back");
  EXPECT_EQ(service_->wait(run, {}, {}), RunState::kCompleted);
  EXPECT_EQ(number("SELECT max(number) FROM judge_attempt"), 1);
  EXPECT_EQ(server_.counts().hits, attempts());
}

TEST_F(JudgeCommandsTest, AfterACancelNoPaidRequestBegins) {
  const RunId run = start_slowly();
  service_->cancel(run, "enough");
  expect_no_more_than(attempts());
}

TEST_F(JudgeCommandsTest, APauseOfOneRunStopsNoOther) {
  const RunId run = start_slowly();
  service_->pause(run, "lunch");
  hold_out("vase", 3);
  latency_ms_ = 0;
  EXPECT_EQ(service_->wait(start(Json::array({critic(2)}), 1), {}, {}), RunState::kCompleted);
  EXPECT_EQ(state(run), RunState::kPaused);
}

TEST_F(JudgeWorkersTest, TheOperatorIsToldWhenAJudgeStopsAnsweringAndWhenItAnswersAgain) {
  sick_ = true;
  begin(manual_);
  const RunId run = start(Json::array({critic()}), 1);
  await([&] { return !service_->judge_troubles().empty(); }, seconds_pass(5));
  const std::vector<JudgeTrouble> troubles = service_->judge_troubles();
  ASSERT_THAT(troubles, SizeIs(1));
  EXPECT_EQ(troubles[0].annotator, "critic");
  EXPECT_THAT(troubles[0].text, HasSubstr("judge critic does not answer: HTTP 503"));
  EXPECT_THAT(troubles[0].text, HasSubstr("trying again every 60 s; 4 items wait"));
  EXPECT_THAT(said(), Contains(troubles[0].text));
  sick_ = false;
  await([&] { return state(run) == RunState::kCompleted; }, seconds_pass(1));
  await_saying("judge critic answers again");
  EXPECT_THAT(service_->judge_troubles(), IsEmpty());
}

TEST_F(JudgeWorkersTest, ARunWhoseJudgeNobodyReachesPausesWithTheReason) {
  url_ = FakeLlmServer(scripted_api()).url();  // and nobody listens there any more
  begin(manual_);
  const RunId run = start(Json::array({critic()}), 1);
  await([&] { return state(run) == RunState::kPaused; }, seconds_pass(10));
  const std::string why = store_.read([&](Reader& reader) { return find_run(reader, run)->reason; });
  EXPECT_THAT(why, HasSubstr("judge: annotator critic: nobody was reached for 3"));
  EXPECT_THAT(why, HasSubstr("check the base URL"));
  EXPECT_EQ(number("SELECT count(*) FROM judgment WHERE state = 'failed'"), 0);
  EXPECT_THAT(said(), Contains(HasSubstr("does not answer")));
  await_saying("paused: " + why);
  await([&] { return service_->judge_troubles().empty(); });  // the run says it now
}

}  // namespace
}  // namespace cutd
