#include "round/run_commands.h"

#include "round/round_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array kActivePhases = {Phase::kCreated, Phase::kGenerating, Phase::kJudging, Phase::kTraining,
                                      Phase::kEvaluating};

class RunCommandsTest : public RoundTest {
 protected:
  void pause(RunId run) {
    daemon().write([&](Writer& writer) { pause_run(writer, run, "lunch"); });
  }
  void resume(RunId run) {
    daemon().write([&](Writer& writer) { resume_run(writer, run, "back"); });
  }
  void cancel(RunId run) {
    daemon().write([&](Writer& writer) { cancel_run(writer, run, "enough"); });
  }
};

TEST_F(RunCommandsTest, PausesInEveryPhaseAndEndsTheSame) {
  const RunId run = start();
  for (const Phase phase : kActivePhases) {
    work_to(run, phase);
    pause(run);
    EXPECT_EQ(daemon().phase(run), Phase::kPaused);
    EXPECT_EQ(daemon().run(run).state, RunState::kPaused);
    const std::int64_t calls = engine_.calls("generate");
    EXPECT_EQ(daemon().step(run), StepResult::kIdle);
    EXPECT_EQ(engine_.calls("generate"), calls);
    reopen();
    resume(run);
    EXPECT_EQ(daemon().phase(run), phase);
  }
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

TEST_F(RunCommandsTest, CancelsInEveryPhaseForGood) {
  for (const Phase phase : kActivePhases) {
    const RunId run = start();
    work_to(run, phase);
    cancel(run);
    EXPECT_EQ(daemon().phase(run), Phase::kCancelled);
    EXPECT_EQ(daemon().run(run).state, RunState::kCancelled);
    EXPECT_EQ(daemon().step(run), StepResult::kIdle);
    error_of(ErrorCode::kConflict, [&] { resume(run); });
    error_of(ErrorCode::kConflict, [&] { cancel(run); });
  }
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(RunCommandsTest, CancelsWhatIsPausedOrFailed) {
  const RunId paused = start();
  work_to(paused, Phase::kGenerating);
  pause(paused);
  cancel(paused);
  EXPECT_EQ(daemon().phase(paused), Phase::kCancelled);

  const RunId failed = start();
  engine_.before = [](const std::string& kind, std::int64_t, std::stop_token) {
    if (kind == "train") throw Error(ErrorCode::kBadInput, "broken");
  };
  work(failed);
  cancel(failed);
  EXPECT_EQ(daemon().run(failed).state, RunState::kCancelled);
  EXPECT_EQ(daemon().phase(failed), Phase::kCancelled);
}

TEST_F(RunCommandsTest, RefuseWhatTheStateDoesNotAllow) {
  const RunId run = start();
  work_to(run, Phase::kGenerating);
  error_of(ErrorCode::kConflict, [&] { resume(run); });
  pause(run);
  error_of(ErrorCode::kConflict, [&] { pause(run); });
  resume(run);
  const RoundId round = daemon().round(run).id;
  EXPECT_THAT(error_of(ErrorCode::kConflict,
                       [&] { daemon().write([&](Writer& writer) { retry_failed_round(writer, round, ""); }); }),
              HasSubstr("only a failed round"));
  work(run);
  using Command = void (*)(Writer&, RunId, const std::string&);
  const Command plain_resume = [](Writer& writer, RunId id, const std::string& why) { resume_run(writer, id, why); };
  for (const Command command : {Command(&pause_run), plain_resume, Command(&cancel_run)}) {
    error_of(ErrorCode::kConflict, [&] { daemon().write([&](Writer& writer) { command(writer, run, ""); }); });
    error_of(ErrorCode::kNotFound, [&] { daemon().write([&](Writer& writer) { command(writer, RunId{99}, ""); }); });
  }
  error_of(ErrorCode::kNotFound,
           [&] { daemon().write([&](Writer& writer) { retry_failed_round(writer, RoundId{99}, ""); }); });
}

TEST_F(RunCommandsTest, AFailedRoundIsRetriedNotResumed) {
  const RunId run = start();
  engine_.before = [](const std::string& kind, std::int64_t, std::stop_token) {
    if (kind == "train") throw Error(ErrorCode::kBadInput, "broken");
  };
  work(run);
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { resume(run); }), HasSubstr("cutd round retry"));
  engine_.before = {};
  EXPECT_EQ(daemon().write([&](Writer& writer) {
    return retry_failed_round(writer, list_rounds(writer, run).back().id, "mended");
  }),
            run);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().round(run, 1).retries, 1);
}

TEST_F(RunCommandsTest, ARoundThatWaitsForTheDiskCanBeResumedByHand) {
  const RunId run = start();
  work_to(run, Phase::kGenerating);
  daemon().free_disk = 0;
  daemon().step(run);
  daemon().free_disk = std::uintmax_t{1} << 30;
  resume(run);
  EXPECT_EQ(daemon().phase(run), Phase::kGenerating);
}

}  // namespace
}  // namespace cutd
