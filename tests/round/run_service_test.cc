// The service with its real threads.
#include "round/run_service.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "round/round_fixture.h"
#include "support/scripted_text.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using std::chrono::milliseconds;

class RunServiceTest : public testing::Test {
 protected:
  RunServiceTest() : files_(folder_.path()) { open(); }

  void open() {
    store_ = std::make_unique<Store>(folder_ / "data", clock_, log_);
    service_ = std::make_unique<RunService>(*store_, engine_, options_, clock_, log_);
  }
  void reopen() {
    service_.reset();
    store_.reset();
    open();
  }
  RunId start(const Json& changes = Json::object()) { return service_->start(files_.config(changes), files_.reader()); }
  RunState wait(RunId run) { return service_->wait(run, {}, {}); }
  // Polls a fact of the store for at most 20 s.
  void await(const std::function<bool(Reader&)>& fact) {
    for (int i = 0; i < 4000; ++i) {
      if (store_->read(fact)) return;
      std::this_thread::sleep_for(milliseconds(5));
    }
    FAIL() << "it never came";
  }
  void await_phase(RunId run, Phase phase) {
    await([&](Reader& reader) {
      const auto rounds = list_rounds(reader, run);
      return !rounds.empty() && rounds.back().phase == phase;
    });
  }
  RoundId newest_round(RunId run) {
    return store_->read([&](Reader& reader) { return list_rounds(reader, run).back().id; });
  }
  RunOutcome outcome(RunId run) {
    service_.reset();
    store_.reset();
    ScriptedEngine none;
    OneDaemon daemon(folder_ / "data", none, clock_, log_);
    EXPECT_THAT(daemon.check(), IsEmpty());
    return daemon.outcome(run);
  }
  // The engine hangs in the first `kind` until it is stopped.
  void hang_once(const std::string& kind) {
    engine_.before = [this, kind](const std::string& now, std::int64_t, std::stop_token stop) {
      if (now != kind || hung_.exchange(true)) return;
      hang_until_stopped(stop);
    };
  }
  void await_hang() {
    while (!hung_) std::this_thread::sleep_for(milliseconds(1));
  }

  const TemporaryDirectory folder_{fast_folder()};
  RunFiles files_;
  SystemClock clock_;
  NullLogger log_;
  ScriptedEngine engine_;
  std::atomic<bool> hung_{false};
  RunServiceOptions options_{scripted_text, make_judge, milliseconds(20), milliseconds(50), free_disk_bytes};
  std::unique_ptr<Store> store_;
  std::unique_ptr<RunService> service_;
};

TEST_F(RunServiceTest, TakesARunToItsEnd) {
  const RunId run = start();
  service_->begin();
  std::set<std::string> activities;
  EXPECT_EQ(service_->wait(run, {}, [&](const ProgressSnapshot& now) { activities.insert(now.activity); }),
            RunState::kCompleted);
  EXPECT_FALSE(activities.empty());
  std::vector<std::string> said;
  for (const ProgressMessage& message : service_->progress().messages_after(0)) said.push_back(message.text);
  EXPECT_THAT(said, Contains(HasSubstr("round 1 promoted")));
  EXPECT_THAT(said, Contains(HasSubstr("run 1 completed")));
  EXPECT_EQ(outcome(run), undisturbed());
}

TEST_F(RunServiceTest, NothingHappensBeforeItBegins) {
  const RunId run = start();
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_TRUE(store_->read([&](Reader& reader) { return list_rounds(reader, run).empty(); }));
}

TEST_F(RunServiceTest, RunsTakeTurnsWhenTheFirstCannotGoOn) {
  const RunId first = start();
  const RunId second = start();
  service_->pause(first, "lunch");
  service_->begin();
  EXPECT_EQ(wait(second), RunState::kCompleted);
  service_->resume(first, "back");
  EXPECT_EQ(wait(first), RunState::kCompleted);
}

TEST_F(RunServiceTest, JudgingOverlapsGeneration) {
  // The second unit of the round is not answered before the first one is judged.
  std::atomic<bool> overlapped{false};
  engine_.before = [&](const std::string& kind, std::int64_t, std::stop_token) {
    if (kind != "generate" || overlapped) return;
    const auto rounds = store_->read([](Reader& reader) { return list_open_rounds(reader); });
    if (rounds.empty() || store_->read([&](Reader& reader) { return list_responses(reader, rounds[0].id).empty(); }))
      return;
    await([&](Reader& reader) { return count_judgments(reader, rounds[0].id, AnnotatorId{1}).done == 3; });
    overlapped = true;
  };
  const RunId run = start();
  service_->begin();
  EXPECT_EQ(wait(run), RunState::kCompleted);
  EXPECT_TRUE(overlapped);
}

class RunServiceUnitTest : public RunServiceTest, public testing::WithParamInterface<std::string> {};

TEST_P(RunServiceUnitTest, APauseInterruptsItAndLosesNothing) {
  hang_once(GetParam());
  const RunId run = start();
  service_->begin();
  await_hang();
  service_->pause(run, "lunch");
  EXPECT_EQ(wait(run), RunState::kPaused);
  service_->resume(run, "back");
  EXPECT_EQ(wait(run), RunState::kCompleted);
  EXPECT_EQ(outcome(run), undisturbed());
}

TEST_P(RunServiceUnitTest, AStopInterruptsItAndTheNextServiceGoesOn) {
  hang_once(GetParam());
  const RunId run = start();
  service_->begin();
  await_hang();
  service_->stop();
  EXPECT_FALSE(service_->failure());
  EXPECT_EQ(store_->read([&](Reader& reader) { return find_run(reader, run)->state; }), RunState::kActive);
  reopen();
  service_->begin();
  EXPECT_THAT(service_->progress().messages_after(0).at(0).text, HasSubstr("run 1 goes on: round 1 of 2"));
  EXPECT_EQ(wait(run), RunState::kCompleted);
  EXPECT_EQ(outcome(run), undisturbed());
}

INSTANTIATE_TEST_SUITE_P(Units, RunServiceUnitTest, testing::Values("generate", "score", "train"),
                         [](const auto& kind) { return kind.param; });

TEST_F(RunServiceTest, CancelEndsTheUnitAtWork) {
  hang_once("train");
  const RunId run = start();
  service_->begin();
  await_hang();
  service_->cancel(run, "enough");
  EXPECT_EQ(wait(run), RunState::kCancelled);
}

TEST_F(RunServiceTest, AFailedRoundIsRetriedThroughTheService) {
  std::atomic<bool> broken{true};
  engine_.before = [&](const std::string& kind, std::int64_t, std::stop_token) {
    if (kind == "train" && broken) engine_dies();
  };
  const RunId run = start();
  service_->begin();
  EXPECT_EQ(wait(run), RunState::kFailed);
  broken = false;
  service_->retry(newest_round(run), "mended");
  EXPECT_EQ(wait(run), RunState::kCompleted);
  EXPECT_EQ(outcome(run), undisturbed());
}

TEST_F(RunServiceTest, AFullDiskEndsByItself) {
  std::atomic<int> looks{0};
  options_.free_disk = [&](const std::filesystem::path&) {
    return ++looks == 20 ? std::uintmax_t{0} : std::uintmax_t{1} << 40;
  };
  reopen();
  const RunId run = start();
  service_->begin();
  EXPECT_EQ(wait(run), RunState::kCompleted);
  std::vector<std::string> said;
  for (const ProgressMessage& message : service_->progress().messages_after(0)) said.push_back(message.text);
  EXPECT_THAT(said, Contains(HasSubstr("paused: disk")));
  EXPECT_EQ(outcome(run), undisturbed());
}

TEST_F(RunServiceTest, FailedStorageEndsBothThreadsAndIsSaid) {
  engine_.before = [](const std::string& kind, std::int64_t, std::stop_token) {
    if (kind == "train") throw Error(ErrorCode::kIo, "input/output error");
  };
  const RunId run = start();
  service_->begin();
  EXPECT_EQ(wait(run), RunState::kActive);
  EXPECT_THAT(service_->failure().value_or(""), HasSubstr("input/output error"));
  engine_.before = {};
  reopen();
  service_->begin();
  EXPECT_EQ(wait(run), RunState::kCompleted);
  EXPECT_EQ(outcome(run), undisturbed());
}

TEST_F(RunServiceTest, AFailureOfTheJudgesInterruptsTheEngine) {
  options_.judges = [](const AnnotatorConfig&) -> std::unique_ptr<Judge> {
    throw std::runtime_error("no judge today");
  };
  reopen();
  engine_.before = [this](const std::string& kind, std::int64_t number, std::stop_token stop) {
    if (kind == "generate" && number == 2) {
      hung_ = true;
      hang_until_stopped(stop);
    }
  };
  const RunId run = start();
  service_->begin();
  EXPECT_EQ(wait(run), RunState::kActive);
  EXPECT_EQ(service_->failure(), "no judge today");
  service_->stop();
}

TEST_F(RunServiceTest, CommandsOnWhatIsNotThereAreRefused) {
  error_of(ErrorCode::kNotFound, [&] { service_->pause(RunId{9}, ""); });
  error_of(ErrorCode::kNotFound, [&] { service_->retry(RoundId{9}, ""); });
  error_of(ErrorCode::kNotFound, [&] { wait(RunId{9}); });
}

TEST_F(RunServiceTest, WaitingEndsWhenItIsAsked) {
  const RunId run = start();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(service_->wait(run, stop.get_token(), {}), RunState::kActive);
}

}  // namespace
}  // namespace cutd
