// P2 at its full size: a thousand judgments, 64 requests in flight, a hundred SIGKILLs; the double charges when it
// reads a request. What is paid twice is a row that says so, and the ledger covers what is charged at every instant.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "core/random.h"
#include "core/sanitized.h"
#include "judge_client/make_llm_judge.h"
#include "round/round_fixture.h"
#include "store/attempts.h"
#include "store/ledger.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

using ::testing::IsEmpty;

constexpr int kItems = 1000;
constexpr int kInFlight = 64;
constexpr int kKills = kSanitized ? 12 : 100;  // each forks a process, which is dear with shadow memory

class PaidKillsTest : public RoundTest {
 protected:
  PaidKillsTest() : server_([this](const FakeRequest& request) { return answer(request); }) {
    std::vector<std::string> texts;
    for (int i = 0; i < kItems; ++i) texts.push_back("Explain what tool number " + std::to_string(i) + " is used for.");
    files_.files["train.jsonl"] = instruction_lines(texts);
    use_judges();
  }

  // Charged when it is read, whatever becomes of the answer.
  FakeReply answer(const FakeRequest& request) {
    const Json body = fake_openai_reply(parse_json(request.body, "request"), fake_judgment(request.body));
    charged_ += body["usage"]["prompt_tokens"].get<std::int64_t>() * 1 +
                body["usage"]["completion_tokens"].get<std::int64_t>() * 4;
    FakeReply reply;
    reply.body = to_json_text(body);
    reply.delay_ms = slow_ ? 15 + request.number % 30 : 0;
    return reply;
  }

  void use_judges() {
    daemon().judges = [this](const AnnotatorConfig& config) -> std::unique_ptr<Judge> {
      LlmJudgeOptions options = llm_judge_options(config.llm, "");
      options.client.start_concurrency = kInFlight;
      return std::make_unique<LlmJudge>(options, system_);
    };
  }

  // A round whose thousand responses nobody has judged.
  RunId start_unjudged() {
    const RunId run = start({{"data", {{"instructions_per_round", kItems}}},
                             {"generation", {{"unit_prompts", kItems}}},
                             {"annotators",
                              {{{"name", "critic"},
                                {"kind", "llm"},
                                {"llm",
                                 {{"base_url", server_.url()},
                                  {"model", "judge-1"},
                                  {"price", {{"input", 1}, {"output", 4}}},
                                  {"caps", {{"request", 1}, {"round", 900}, {"day", 900}, {"total", 900}}},
                                  {"max_in_flight", kInFlight},
                                  {"allow_http", true},
                                  {"allow_private", {"127.0.0.1"}},
                                  {"on_unknown", "resend"},
                                  {"max_unknown_resends", 1'000'000}}}}}}});
    work_to(run, Phase::kGenerating);
    while (daemon().phase(run) == Phase::kGenerating) daemon().step(run);
    return run;
  }

  // One daemon's life: judges until it has ended or is killed, once the double has read `hits` more requests.
  void live_and_die(std::int64_t hits) {
    const std::int64_t from = server_.hits();
    std::cout.flush();
    const pid_t child = server_.fork();
    if (child == 0) {
      open();
      use_judges();
      daemon().judge();
      ::_exit(0);
    }
    {
      const StoreReader ledger(folder_ / "data");
      int status = 0;
      pid_t ended = 0;
      while (server_.hits() - from < hits && (ended = ::waitpid(child, &status, WNOHANG)) == 0) {
        compare(ledger);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (ended == 0) ::kill(child, SIGKILL);
      if (ended == 0) ::waitpid(child, &status, 0);
      if (WIFSIGNALED(status)) ++kills_;
      compare(ledger);
    }
  }

  // Charges are read first: what was charged by then has been reserved before.
  void compare(const StoreReader& ledger) {
    const std::int64_t charged = charged_;
    const Spending total = total_of(ledger);
    ++comparisons_;
    uncovered_ += total.reserved + total.spent < charged ? 1 : 0;
    uncovered_by_spent_alone_ += total.spent < charged ? 1 : 0;
  }

  static Spending total_of(const StoreReader& ledger) {
    for (const Spending& one : ledger.read([](Reader& reader) { return list_spending(reader); })) {
      if (one.scope == "total") return one;
    }
    return {};
  }

  SystemClock system_;
  std::atomic<std::int64_t> charged_{0};  // micro-dollars
  std::atomic<bool> slow_{false};
  int kills_ = 0;
  int comparisons_ = 0;
  int uncovered_ = 0;
  int uncovered_by_spent_alone_ = 0;
  FakeLlmServer server_;
};

TEST_F(PaidKillsTest, AHundredKillsPayNothingTwiceThatIsNotARow) {
  const RunId run = start_unjudged();
  const RoundId round = daemon().round(run).id;
  daemon_.reset();
  slow_ = true;
  for (int i = 0; i < kKills; ++i) {  // before, while and after the first answers come
    const double draw = philox_uniform(11, static_cast<std::uint64_t>(i));
    live_and_die(1 + static_cast<std::int64_t>(draw * (kInFlight + 8)));
  }
  EXPECT_EQ(kills_, kKills);
  EXPECT_EQ(uncovered_, 0) << "of " << comparisons_;
  slow_ = false;
  open();
  use_judges();
  while (daemon().judge() > 0) continue;

  const JudgmentCounts counts =
      daemon().read([&](Reader& reader) { return count_judgments(reader, round, AnnotatorId{1}); });
  EXPECT_EQ(counts.done, kItems);
  EXPECT_EQ(counts.pending + counts.failed, 0);
  std::map<JudgmentId, std::vector<Attempt>> rows;  // newest first
  std::int64_t unknown = 0;
  for (Attempt& attempt : daemon().read([](Reader& reader) { return list_attempts(reader); })) {
    unknown += attempt.state == AttemptState::kUnknown ? 1 : 0;
    rows[attempt.judgment].push_back(std::move(attempt));
  }
  std::int64_t made = 0;
  for (const auto& [judgment, attempts] : rows) {
    made += static_cast<std::int64_t>(attempts.size());
    for (std::size_t i = 1; i < attempts.size(); ++i)  // no answer that was received was asked for again
      EXPECT_EQ(attempts[i].state, AttemptState::kUnknown) << judgment.value;
  }
  const FakeCounts double_counts = server_.counts();
  std::int64_t duplicates = 0;
  for (const auto& [item, times] : double_counts.charges) duplicates += times - 1;
  EXPECT_LE(duplicates, unknown);
  EXPECT_LE(unknown, std::int64_t{kInFlight} * kKills);
  EXPECT_LE(double_counts.hits, made);  // a row without a request: killed between the two
  EXPECT_THAT(daemon().check(), IsEmpty());
  // The negative controls: kills did hit requests under way, and a ledger of settled money alone would not have covered
  // what was charged.
  EXPECT_GT(duplicates, kKills);
  EXPECT_GT(uncovered_by_spent_alone_, comparisons_ / 10);
  RecordProperty("duplicates", std::to_string(duplicates));
  RecordProperty("unknown", std::to_string(unknown));
}

}  // namespace
}  // namespace cutd
