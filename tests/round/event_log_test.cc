#include "round/event_log.h"

#include "round/round_fixture.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RecordingLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

class EventLogTest : public RoundTest {};

TEST_F(EventLogTest, SaysEachChangeOfPhaseOnceWithItsReason) {
  RecordingLogger logger;
  EventLog events(daemon().store, logger);
  const RunId run = start();
  work_to(run, Phase::kTraining);
  events.write_new();
  EXPECT_THAT(logger.lines, ElementsAre(StartsWith("run 1, round 1: created"), HasSubstr("created to generating"),
                                        HasSubstr("generating to judging"), HasSubstr("judging to training")));
  logger.lines.clear();
  events.write_new();
  EXPECT_THAT(logger.lines, IsEmpty());
  work(run);
  events.write_new();
  EXPECT_THAT(logger.lines, Contains(AllOf(HasSubstr("round 2"), HasSubstr("to completed"))));
}

TEST_F(EventLogTest, BeginsAfterWhatHappenedBefore) {
  const RunId run = start();
  work_to(run, Phase::kJudging);
  RecordingLogger logger;
  EventLog events(daemon().store, logger);
  work_to(run, Phase::kTraining);
  events.write_new();
  EXPECT_THAT(logger.lines, ElementsAre(HasSubstr("judging to training")));
}

}  // namespace
}  // namespace cutd
