// Rounds judged by a model over HTTP (the double): money, faults, kills, pauses.
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>

#include "core/fault.h"
#include "core/files.h"
#include "judge_client/make_llm_judge.h"
#include "round/round_fixture.h"
#include "round/run_commands.h"
#include "round/run_start.h"
#include "store/attempts.h"
#include "store/ledger.h"
#include "support/fake_llm/fake_api.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class LlmJudgingTest : public RoundTest {
 protected:
  void serve(const std::string& script = "{}") {
    server_.emplace(scripted_api(parse_json(script, "script")), port_);
    port_ = server_->port();
  }

  Json annotators(double total = 100, const std::string& on_unknown = "hold") const {
    return {{"annotators",
             {{{"name", "critic"},
               {"kind", "llm"},
               {"llm",
                {{"base_url", server_->url()},
                 {"model", "judge-1"},
                 {"price", {{"input", 1}, {"output", 4}}},
                 {"caps", {{"request", 0.1}, {"round", 50}, {"day", 60}, {"total", total}}},
                 {"allow_http", true},
                 {"allow_private", {"127.0.0.1"}},
                 {"on_unknown", on_unknown}}}}}}};
  }
  void use_llm_judges() {
    daemon().judges = [this](const AnnotatorConfig& config) -> std::unique_ptr<Judge> {
      if (!asks_over_http(config)) return make_judge(config);
      LlmJudgeOptions options = llm_judge_options(config.llm, "canary-key");
      options.client.retry.first_ms = 1;
      options.client.retry.cap_ms = 4;
      options.client.retry.park_ms = 5;
      options.client.retry.park_cap_ms = 20;
      options.client.http.first_byte_ms = 5'000;
      return std::make_unique<LlmJudge>(options, system_);
    };
  }
  RunId start_judged(double total = 100, const std::string& on_unknown = "hold") {
    use_llm_judges();
    return start(annotators(total, on_unknown));
  }
  // A child judges in this folder and is killed at `point`; the parent opens what it left.
  void expect_killed_at(const char* point) {
    std::cout.flush();
    daemon_.reset();
    const pid_t child = server_ ? server_->fork() : ::fork();
    if (child == 0) {
      ::setenv("CUTD_CRASH_AT", point, 1);
      fault::reload();
      open();
      use_llm_judges();
      daemon().judge();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << point;
    open();
    use_llm_judges();
  }
  std::vector<Attempt> attempts() {
    return daemon().read([](Reader& reader) { return list_attempts(reader); });
  }
  Spending total() {
    for (const Spending& one : daemon().read([](Reader& reader) { return list_spending(reader); })) {
      if (one.scope == "total") return one;
    }
    return {};
  }

  SystemClock system_;
  int port_ = 0;
  std::optional<FakeLlmServer> server_;
};

TEST_F(LlmJudgingTest, ARunIsJudgedPaidForAndAddsUp) {
  serve();
  const RunId run = start_judged();
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().check(), IsEmpty());
  EXPECT_EQ(static_cast<std::int64_t>(attempts().size()), server_->counts().hits);  // P3: a row is a request
  EXPECT_EQ(server_->counts().charged(), server_->counts().hits);
  EXPECT_EQ(total().reserved, 0);
  EXPECT_GT(total().spent, 0);
}

TEST_F(LlmJudgingTest, FaultsOfTheServerChangeNoManifest) {
  serve();
  const RunId calm = start_judged();
  EXPECT_EQ(work(calm), RunState::kCompleted);
  const RunOutcome expected = daemon().outcome(calm);

  const TemporaryDirectory elsewhere{fast_folder()};
  daemon_ = std::make_unique<OneDaemon>(elsewhere / "data", engine_, clock_, log_);
  serve(R"({"faults": [{"status": 429, "share": 0.3, "tries": 1}, {"cut": 0.5, "share": 0.15, "tries": 1},
                       {"html": true, "share": 0.1, "tries": 1, "status": 502}, {"html": true, "share": 0.1, "tries": 1},
                       {"delay_ms": 30, "share": 0.2}]})");
  const RunId stormy = start_judged(100, "resend");
  EXPECT_EQ(work(stormy), RunState::kCompleted);
  EXPECT_GT(server_->counts().hits, static_cast<std::int64_t>(server_->counts().charges.size()));  // there were faults
  EXPECT_EQ(daemon().outcome(stormy).manifests, expected.manifests);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, AReachedCapPausesTheRunUntilItIsRaised) {
  serve();
  const RunId run = start_judged(0.004);
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("budget: annotator critic has reached its cap per total"));
  EXPECT_LE(total().reserved + total().spent, 4000);
  EXPECT_THAT(daemon().check(), IsEmpty());
  const std::int64_t hits = server_->counts().hits;
  EXPECT_EQ(daemon().judge(), 0);  // a paused run asks for nothing
  EXPECT_EQ(server_->counts().hits, hits);

  daemon().write([&](Writer& writer) {
    set_spend_caps(writer, "critic", {100'000, 50'000'000, 60'000'000, 100'000'000});
    resume_run(writer, run, "raised");
  });
  EXPECT_EQ(work(run), RunState::kCompleted);
  // P2: not one judgment was paid for twice.
  for (const Attempt& attempt : attempts()) EXPECT_EQ(attempt.number, 1) << attempt.judgment.value;
  EXPECT_EQ(server_->counts().charged(), static_cast<std::int64_t>(attempts().size()));
}

// Its members' names are in the ledger, its own is not.
TEST_F(LlmJudgingTest, AQuorumsMoneyCountsForTheBudgetOfItsRun) {
  serve();
  use_llm_judges();
  Json changes = annotators();
  changes["annotators"].push_back({{"name", "rules"}});
  changes["run"] = {{"rounds", 2}, {"budget_usd", 0.0001}};
  const RunId run = start(changes);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_GT(total().spent, 100);
  EXPECT_EQ(daemon().run(run).reason, "the budget is spent");
  EXPECT_EQ(daemon().round(run).number, 1);
}

class Warnings final : public Logger {
 public:
  void log(LogLevel level, std::string_view message) override {
    if (level == LogLevel::kWarning) heard.emplace_back(message);
  }
  std::vector<std::string> heard;
};

// A server that does not obey the limit on tokens.
TEST_F(LlmJudgingTest, AChargeAboveItsReservationIsBookedAndSaid) {
  serve(R"({"faults": [{"usage": {"prompt_tokens": 10, "completion_tokens": 20000, "total_tokens": 20010}}]})");
  const RunId run = start_judged();
  work_to(run, Phase::kGenerating);
  while (daemon().phase(run) == Phase::kGenerating) daemon().step(run);
  Warnings log;
  judge_pending(daemon().store, daemon().judges, clock_, log, {});
  ASSERT_THAT(log.heard, SizeIs(4));  // one a response
  EXPECT_THAT(log.heard[0], HasSubstr("of annotator critic was charged $"));
  for (const Attempt& attempt : attempts()) EXPECT_EQ(attempt.settled, 10 + 20000 * 4) << attempt.id.value;
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, UsedUpCreditPausesTheRunAtOnceWithThatReason) {
  serve(R"({"faults": [{"status": 402, "error": {"type": "billing_error", "message": "no credit"}}]})");
  const RunId run = start_judged();
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("judge: annotator critic"));
  EXPECT_EQ(total().spent + total().reserved, 0);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, AMissingKeyPausesTheRunAndSaysWhatToDo) {
  serve();
  const RunId run = start(annotators());
  daemon().judges = [](const AnnotatorConfig&) -> std::unique_ptr<Judge> {
    throw Error(ErrorCode::kUsage, "there is no credential JUDGE_KEY: put it into the environment");
  };
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("JUDGE_KEY"));
}

TEST_F(LlmJudgingTest, AWrongKeyPausesTheRunAndFailsNoItem) {
  serve(R"({"api_key": "another"})");
  const RunId run = start_judged();
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("correct the credential"));
  EXPECT_EQ(total().spent + total().reserved, 0);
  server_.reset();
  serve(R"({"api_key": "canary-key"})");
  daemon().write([&](Writer& writer) { resume_run(writer, run, "corrected"); });
  EXPECT_EQ(work(run), RunState::kCompleted);
}

// P16: what came is kept whatever it was, a broken reply and an error's whole body alike.
TEST_F(LlmJudgingTest, WhatCameIsKeptOfAttemptsThatFailedOrWereLost) {
  const std::string complaint = "too long " + std::string(2'000, 'y') + " END";
  const std::string page = std::string(100'000, 'z') + " END";
  serve(Json{{"faults",
              {{{"at", {1}}, {"cut", 0.9}},
               {{"at", {2}}, {"status", 400}, {"error", {{"message", complaint}}}},
               {{"at", {3}}, {"status", 400}, {"error", {{"message", page}}}}}}}
            .dump());
  work(start_judged());
  const auto raw_of = [&](const Attempt& attempt) {
    return daemon().read([&](Reader& reader) { return find_attempt_raw(reader, attempt.id).value(); });
  };
  std::size_t in_files = 0, in_rows = 0, lost = 0;
  for (const Attempt& attempt : attempts()) {
    const AttemptRaw raw = raw_of(attempt);
    if (attempt.state == AttemptState::kUnknown) {
      EXPECT_THAT(raw.bytes, HasSubstr("chatcmpl-"));
      ++lost;
    } else if (attempt.state == AttemptState::kFailed && raw.file.empty()) {
      EXPECT_THAT(raw.bytes, HasSubstr(complaint));
      ++in_rows;
    } else if (attempt.state == AttemptState::kFailed) {
      EXPECT_THAT(read_file(folder_ / "data" / raw.file), HasSubstr(page));
      ++in_files;
    }
  }
  EXPECT_EQ(lost, 1U);
  EXPECT_EQ(in_rows, 1U);
  EXPECT_EQ(in_files, 1U);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

// Judges that compare with a reference answer (the built-in prompt `verdict`).
TEST_F(LlmJudgingTest, AReferenceTravelsFromItsFileToTheJudgesPrompt) {
  std::mutex mutex;
  std::string seen;
  server_.emplace([&, api = scripted_api()](const FakeRequest& request) {
    const std::lock_guard lock(mutex);
    seen += request.body;
    return api(request);
  });
  Json with_references = annotators();
  with_references["annotators"][0]["llm"]["prompt"] = "verdict";
  use_llm_judges();
  EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { start(with_references); }),
              testing::AllOf(HasSubstr("train.jsonl:1: annotator critic compares with a reference answer"),
                             HasSubstr("\"reference\"")));
  for (auto& [name, bytes] : files_.files) {
    std::string lines;
    std::istringstream rows(bytes);
    for (std::string row; std::getline(rows, row);)
      lines += row.substr(0, row.size() - 1) + R"(,"reference":"It is for )" + name + R"(."})" + "\n";
    bytes = lines;
  }
  EXPECT_EQ(work(start(with_references)), RunState::kCompleted);
  for (const char* name : {"train.jsonl", "gate.jsonl", "report.jsonl"})
    EXPECT_THAT(seen, HasSubstr("### Reference:\\nIt is for " + std::string(name)));
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, TheRateLimitersStateIsKeptWithEachReservation) {
  serve();
  Json limited = annotators();
  limited["annotators"][0]["llm"]["max_rpm"] = 60;  // a second each: some of it is left, however busy the machine is
  use_llm_judges();
  const RunId run = start(limited);
  work_to(run, Phase::kJudging);
  daemon().judge();
  const Json kept = daemon().read([](Reader& reader) { return find_rate_state(reader, "critic"); });
  EXPECT_GT(kept.at("requests_ms").get<double>(), 0) << kept.dump();
}

TEST_F(LlmJudgingTest, WhatAPersonSaysWasNotChargedIsAskedAgain) {
  serve(R"({"faults": [{"drop": true, "at": [1]}]})");
  const RunId run = start_judged();
  EXPECT_EQ(work(run), RunState::kFailed);  // the baseline's evaluation must be whole
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("unknown"));
  const auto lost = daemon().read([](Reader& reader) { return list_attempts(reader, AttemptState::kUnknown); });
  ASSERT_THAT(lost, SizeIs(1));
  const std::int64_t spent = total().spent;
  EXPECT_EQ(total().reserved, lost[0].reserved);
  daemon().write([&](Writer& writer) {
    resolve_attempt(writer, lost[0].id, AttemptResolution::kNotCharged);
    EXPECT_TRUE(reopen_held_judgment(writer, lost[0].id));
    EXPECT_FALSE(reopen_held_judgment(writer, lost[0].id));  // it waits already
  });
  EXPECT_EQ(total().reserved, 0);
  EXPECT_EQ(total().spent, spent);
  const RoundId round = daemon().round(run).id;
  daemon().write([&](Writer& writer) { retry_failed_round(writer, round, "resolved"); });
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, NoKeyIsKeptAnywhere) {
  serve(R"({"api_key": "another"})");
  const RunId run = start_judged();
  work(run);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(bytes, Not(HasSubstr("canary-key"))) << entry.path();
  }
}

// P2: kills between intent and settlement. What is unknown is held, visible and charged; nothing is asked twice.
class LlmKillTest : public LlmJudgingTest, public testing::WithParamInterface<const char*> {};

TEST_P(LlmKillTest, WhatWasUnderWayIsHeldAndCharged) {
  serve();
  const RunId run = start_judged();
  work_to(run, Phase::kGenerating);
  while (daemon().phase(run) == Phase::kGenerating) daemon().step(run);  // responses that nobody has judged
  const std::int64_t charged_before = server_->counts().charged();
  expect_killed_at(GetParam());
  EXPECT_THAT(daemon().check(), IsEmpty());
  const auto lost = daemon().read([](Reader& reader) { return list_attempts(reader, AttemptState::kUnknown); });
  EXPECT_THAT(lost, Not(IsEmpty()));
  // spent + reserved covers the charges
  EXPECT_GE(static_cast<std::int64_t>(lost.size()), server_->counts().charged() - charged_before);
  const std::int64_t bound = total().reserved;
  EXPECT_GT(bound, 0);
  daemon().judge();
  EXPECT_EQ(total().reserved, bound);  // still charged: nobody said otherwise
  EXPECT_THAT(daemon().check(), IsEmpty());
  for (const Attempt& attempt : attempts()) EXPECT_EQ(attempt.number, 1) << attempt.judgment.value;
}

// A reply that was stored and not read is read after the restart: it is neither unknown nor asked for again.
TEST_F(LlmJudgingTest, AStoredReplyIsReadAgainAndNotPaidAgain) {
  serve();
  const RunId run = start_judged();
  work_to(run, Phase::kGenerating);
  while (daemon().phase(run) == Phase::kGenerating) daemon().step(run);  // responses that nobody has judged
  const std::int64_t before = server_->counts().hits;
  expect_killed_at("judge.before_judgment:3");  // two settled, the third's reply on its way to the disk
  const auto lost = daemon().read([](Reader& reader) { return list_attempts(reader, AttemptState::kUnknown); });
  const std::int64_t hits = server_->counts().hits;
  EXPECT_GT(hits, before);
  daemon().judge();
  EXPECT_EQ(server_->counts().hits, hits);  // all were asked before: read from the store, or held
  EXPECT_THAT(daemon().read([](Reader& reader) { return list_unread_replies(reader, "critic"); }), IsEmpty());
  EXPECT_EQ(daemon().read([](Reader& reader) { return list_attempts(reader, AttemptState::kUnknown); }).size(),
            lost.size());
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, AStoredReplyWhoseFileIsLostIsThatJudgmentsFailureAlone) {
  serve();
  const RunId run = start_judged();
  work_to(run, Phase::kGenerating);
  while (daemon().phase(run) == Phase::kGenerating) daemon().step(run);
  const RoundId round = daemon().round(run).id;
  daemon().write([&](Writer& writer) {
    const JudgmentId judgment = list_pending_judgments(writer, round, AnnotatorId{1}).at(0).id;
    std::string capped;
    const AttemptRowId attempt = reserve_attempt(writer, judgment, 1000, capped).value();
    begin_judgment_attempt(writer, judgment);
    settle_attempt(writer, attempt, {.cost = 10, .raw = "", .raw_file = "replies/gone"});
  });
  daemon().judge();
  const JudgmentCounts counts =
      daemon().read([&](Reader& reader) { return count_judgments(reader, round, AnnotatorId{1}); });
  EXPECT_EQ(counts.done, 3);
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(counts.pending, 0);
  EXPECT_THAT(counts.failure, HasSubstr("cannot be read any more: the file replies/gone is lost"));
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(LlmJudgingTest, AnotherModelThanTheAskedOnePausesTheRunAndSaysHowToAcceptIt) {
  server_.emplace([api = scripted_api()](const FakeRequest& request) {
    FakeReply reply = api(request);
    Json body = parse_json(reply.body, "reply");
    body["model"] = "judge-1-preview";
    reply.body = to_json_text(body);
    return reply;
  });
  const RunId run = start_judged();
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().run(run).reason, HasSubstr("\"judge-1-preview\" answered in place of \"judge-1\": add it to "
                                                  "accepted_models"));
  for (const Attempt& attempt : attempts()) EXPECT_EQ(attempt.number, 1) << attempt.judgment.value;
  const std::int64_t port = server_->port();
  server_.reset();
  port_ = static_cast<int>(port);
  serve();  // it was the server's alias
  daemon().write([&](Writer& writer) { resume_run(writer, run, "corrected"); });
  EXPECT_EQ(work(run), RunState::kCompleted);
}

INSTANTIATE_TEST_SUITE_P(Points, LlmKillTest, testing::Values("judge.after_intent", "judge.before_settle"),
                         [](const auto& point) {
                           std::string name = point.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace cutd
