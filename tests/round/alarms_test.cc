// An alarm about what the judges said holds a round before it trains or promotes, until a person has acknowledged it.
#include "round/judging_health.h"

#include <algorithm>

#include "round/round_fixture.h"
#include "round/run_commands.h"

namespace cutd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Every round is outside of this band.
const Json kAlwaysAlarmed = {{"alarms", {{"min_judgments", 1}, {"same_response", 0}}}};

class AlarmsTest : public RoundTest {
 protected:
  void resume(RunId run, bool acknowledge) {
    daemon().write([&](Writer& writer) { resume_run(writer, run, "looked at", acknowledge); });
  }
  std::size_t events_to(RunId run, Phase phase) {
    const RoundId round = daemon().round(run).id;
    const auto events = daemon().read([&](Reader& reader) { return list_round_events(reader, round); });
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const RoundEvent& event) { return event.to == phase; }));
  }
};

// The scripted engine's good answers have many words in common.
const Json kWatched = {{"alarms", {{"min_judgments", 4}, {"shared_run", 1}}}};

TEST_F(AlarmsTest, LetsAnOrdinaryRunAlone) {
  const RunId run = start(kWatched);
  EXPECT_EQ(work(run), RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run).manifests, undisturbed().manifests);
}

TEST_F(AlarmsTest, HoldsARoundBeforeItTrains) {
  const RunId run = start(kAlwaysAlarmed);
  EXPECT_EQ(work(run), RunState::kPaused);
  const Round round = daemon().round(run);
  EXPECT_EQ(round.phase, Phase::kPaused);
  EXPECT_EQ(round.resume_phase, Phase::kJudging);
  EXPECT_THAT(round.reason, AllOf(StartsWith("alarm: the judgments to train on: "), HasSubstr("same text")));
  EXPECT_THAT(daemon().run(run).reason, StartsWith("alarm: "));
  EXPECT_FALSE(daemon().read([&](Reader& reader) { return find_manifest(reader, round.id); }));
  EXPECT_TRUE(engine_.trainings().empty());
}

TEST_F(AlarmsTest, GoesOnOnlyWhenTheAlarmIsAcknowledged) {
  const RunId run = start(kAlwaysAlarmed);
  work(run);
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { resume(run, false); }),
              AllOf(HasSubstr("alarm: "), HasSubstr("--acknowledge")));
  EXPECT_EQ(daemon().run(run).state, RunState::kPaused);
  resume(run, true);
  EXPECT_EQ(work(run), RunState::kPaused);  // trained, and held again before it promotes
  EXPECT_EQ(daemon().round(run).resume_phase, Phase::kEvaluating);
  EXPECT_THAT(daemon().round(run).reason, StartsWith("alarm: the judgments of the candidate: "));
  EXPECT_EQ(engine_.trainings().size(), 1U);
  EXPECT_FALSE(daemon().read([&](Reader& reader) { return serving_adapter(reader, run); }));
  resume(run, true);
  work(run, [&] { return daemon().round(run, 1).phase == Phase::kCompleted; });
  EXPECT_EQ(daemon().round(run, 1).outcome, Outcome::kPromoted);
}

TEST_F(AlarmsTest, IsRememberedOverARestart) {
  const RunId run = start(kAlwaysAlarmed);
  work(run);
  reopen();
  EXPECT_EQ(daemon().step(run), StepResult::kIdle);
  EXPECT_EQ(daemon().run(run).state, RunState::kPaused);
  resume(run, true);
  reopen();
  daemon().step(run);
  EXPECT_EQ(daemon().phase(run), Phase::kTraining);  // acknowledged once
  EXPECT_EQ(events_to(run, Phase::kPaused), 1U);
}

TEST_F(AlarmsTest, ChangesNothingAboutWhatComesOut) {
  const RunId run = start(kAlwaysAlarmed);
  for (int i = 0; i < 20 && work(run) == RunState::kPaused; ++i) resume(run, true);
  EXPECT_EQ(daemon().run(run).state, RunState::kCompleted);
  EXPECT_EQ(daemon().outcome(run).manifests, undisturbed().manifests);
  EXPECT_EQ(daemon().outcome(run).adapters, undisturbed().adapters);
  EXPECT_THAT(daemon().check(), IsEmpty());
}

TEST_F(AlarmsTest, AsksNobodyAboutACandidateThatIsRejectedAnyway) {
  Json changes = kAlwaysAlarmed;
  changes["evaluation"] = {{"guards", {{"mean_words_low", 90}}}};
  const RunId run = start(changes);
  work(run);
  resume(run, true);
  work(run, [&] { return daemon().round(run, 1).phase == Phase::kCompleted; });
  EXPECT_EQ(daemon().round(run, 1).outcome, Outcome::kRejected);
  EXPECT_EQ(events_to(run, Phase::kPaused), 1U);
}

// Reliability P36: training left a model that says the same to everything.
TEST_F(AlarmsTest, HoldsARunWhoseModelIsReplacedByANullModel) {
  Json changes = kWatched;  // and an annotator whom such an answer satisfies: else the gate rejects it by itself
  changes["annotators"] = {{{"name", "lenient"}, {"kind", "rule"}, {"guideline", {{"require_subject", false}}}}};
  const RunId run = start(changes);
  engine_.constant_from_rank = 4;  // two rounds of rank 2
  EXPECT_EQ(work(run), RunState::kPaused);
  EXPECT_THAT(daemon().round(run).reason, HasSubstr("of the responses are the same text"));
  EXPECT_EQ(daemon().round(run).number, 2);
  EXPECT_EQ(daemon().round(run).resume_phase, Phase::kEvaluating);  // before the null model is promoted
  const auto serving = daemon().read([&](Reader& reader) { return serving_adapter(reader, run); });
  const auto first = daemon().read(
      [&](Reader& reader) { return find_adapter(reader, daemon().round(run, 1).id, AdapterKind::kCumulative); });
  ASSERT_TRUE(first && serving);
  EXPECT_EQ(*serving, first->id);
}

}  // namespace
}  // namespace cutd
