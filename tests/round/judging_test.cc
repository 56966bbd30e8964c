#include "round/judging.h"

#include "round/judge_sink.h"
#include "round/round_fixture.h"
#include "round/run_commands.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class JudgingTest : public RoundTest {
 protected:
  // A run whose baseline is done and whose round has three responses to judge.
  JudgingTest() : run_(start()) {
    work_to(run_, Phase::kGenerating);
    daemon().step(run_);
    round_ = daemon().round(run_).id;
  }
  JudgmentCounts counts() {
    return daemon().read([&](Reader& reader) { return count_judgments(reader, round_, AnnotatorId{1}); });
  }
  std::vector<PendingJudgment> pending() {
    return daemon().read([&](Reader& reader) { return list_pending_judgments(reader, round_, AnnotatorId{1}); });
  }

  RunId run_;
  RoundId round_;
};

TEST_F(JudgingTest, JudgesWhatWaitsAndRemembersNothing) {
  EXPECT_EQ(counts().pending, 3);
  EXPECT_EQ(daemon().judge(), 3);
  EXPECT_EQ(counts().done, 3);
  EXPECT_EQ(daemon().judge(), 0);
}

TEST_F(JudgingTest, LeavesPausedRoundsAlone) {
  daemon().write([&](Writer& writer) { pause_run(writer, run_, "lunch"); });
  EXPECT_EQ(daemon().judge(), 0);
  daemon().write([&](Writer& writer) { resume_run(writer, run_, "back"); });
  EXPECT_EQ(daemon().judge(), 3);
}

TEST_F(JudgingTest, KeepsTheReplyByteForByte) {
  daemon().judge();
  for (const Judgment& judgment :
       daemon().read([&](Reader& reader) { return list_judgments(reader, round_, AnnotatorId{1}); })) {
    EXPECT_FALSE(judgment.raw.empty());
    EXPECT_EQ(judgment.attempts, 1);
    EXPECT_TRUE(judgment.validated);
  }
}

TEST_F(JudgingTest, TheSinkRefusesWhatCostsMoney) {
  StoreJudgeSink sink(daemon().store);
  const auto waiting = pending();
  const std::vector<AttemptIntent> intents = {{{RequestId{waiting[0].id.value}, 1}, 0},
                                              {{RequestId{waiting[1].id.value}, 1}, 5}};
  EXPECT_THAT(sink.before_send(intents), testing::ElementsAre(true, false));
  sink.finished(RequestId{waiting[1].id.value}, JudgeFailure{JudgeFailureKind::kCapped, "not admitted"});
  sink.wait();
  EXPECT_EQ(counts().failed, 1);
  EXPECT_THAT(counts().failure, HasSubstr("capped: not admitted"));
}

TEST_F(JudgingTest, TheSinkDropsAResultThatSomeoneElseSettledFirst) {
  StoreJudgeSink sink(daemon().store);
  const JudgmentId id = pending()[0].id;
  daemon().write([&](Writer& writer) { fail_judgment(writer, id, "first"); });
  sink.finished(RequestId{id.value}, Verdict{true, "Perfect."});
  sink.wait();
  EXPECT_EQ(counts().failure, "first");
}

TEST_F(JudgingTest, StopsBetweenTasksWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(judge_pending(daemon().store, make_judge, clock_, log_, stop.get_token()), 0);
  EXPECT_THAT(pending(), SizeIs(3));
}

}  // namespace
}  // namespace cutd
