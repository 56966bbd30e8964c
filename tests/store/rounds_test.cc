#include "store/rounds.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RoundsTest : public StoreTest {
 protected:
  void conflict(const std::function<void(Writer&)>& move) {
    error_of(ErrorCode::kConflict, [&] { write([&](Writer& writer) { move(writer); }); });
  }
  void move(const std::function<void(Writer&)>& command) {
    write([&](Writer& writer) { command(writer); });
  }
  std::vector<Phase> history(RoundId id) {
    std::vector<Phase> phases;
    for (const RoundEvent& event : read([&](Reader& reader) { return list_round_events(reader, id); }))
      phases.push_back(event.to);
    return phases;
  }
};

constexpr std::array kActivePhases = {Phase::kCreated, Phase::kGenerating, Phase::kJudging, Phase::kTraining,
                                      Phase::kEvaluating};

TEST_F(RoundsTest, NumbersTheRoundsOfEachRun) {
  const RunId first = new_run();
  const RunId second = new_run();
  const RoundId a = new_round(first);
  EXPECT_EQ(round(a).number, 1);
  EXPECT_EQ(round(new_round(second)).number, 1);
  move([&](Writer& writer) { cancel_round(writer, a, Phase::kCreated, "test"); });
  EXPECT_EQ(round(new_round(first)).number, 2);
}

TEST_F(RoundsTest, HasOneRoundAtWorkPerRun) {
  const RunId run = new_run();
  const RoundId id = new_round(run);
  error_of(ErrorCode::kConflict, [&] { new_round(run); });
  move([&](Writer& writer) { fail_round(writer, id, Phase::kCreated, "broken"); });
  error_of(ErrorCode::kConflict, [&] { new_round(run); });
}

TEST_F(RoundsTest, WritesAnEventWithEveryMove) {
  const RoundId id = trained_round(new_run());
  move([&](Writer& writer) { reject_round(writer, id, "worse"); });
  EXPECT_THAT(history(id), ElementsAre(Phase::kCreated, Phase::kGenerating, Phase::kJudging, Phase::kTraining,
                                       Phase::kEvaluating, Phase::kCompleted));
  const RoundEvent last = read([&](Reader& reader) { return list_round_events(reader, id); }).back();
  EXPECT_EQ(last.from, Phase::kEvaluating);
  EXPECT_EQ(last.why, "worse");
  EXPECT_EQ(last.epoch, store().epoch());
  EXPECT_EQ(round(id).outcome, Outcome::kRejected);
}

TEST_F(RoundsTest, RefusesAMoveFromAPhaseTheRoundHasLeft) {
  const RoundId id = new_round(new_run());
  bring_to(id, Phase::kGenerating);
  conflict([&](Writer& writer) { advance_round(writer, id, Phase::kCreated, Phase::kGenerating, ""); });
  conflict([&](Writer& writer) { pause_round(writer, id, Phase::kCreated, "late"); });
  EXPECT_EQ(round(id).phase, Phase::kGenerating);
}

TEST_F(RoundsTest, RefusesMovesThatAreNotInTheTable) {
  const RoundId id = new_round(new_run());
  conflict([&](Writer& writer) { advance_round(writer, id, Phase::kCreated, Phase::kTraining, ""); });
  conflict([&](Writer& writer) { advance_round(writer, id, Phase::kCreated, Phase::kCreated, ""); });
  conflict([&](Writer& writer) { reject_round(writer, id, ""); });
  conflict([&](Writer& writer) { resume_round(writer, id, ""); });
  conflict([&](Writer& writer) { retry_round(writer, id, ""); });
  EXPECT_EQ(history(id).size(), 1u);
}

TEST_F(RoundsTest, GoesOnWhereItWasPausedOrFailedInEveryPhase) {
  for (const Phase phase : kActivePhases) {
    const RoundId id = new_round(new_run());
    bring_to(id, phase);
    move([&](Writer& writer) { pause_round(writer, id, phase, "lunch"); });
    EXPECT_EQ(round(id).resume_phase, phase);
    EXPECT_EQ(round(id).reason, "lunch");
    move([&](Writer& writer) { resume_round(writer, id, "back"); });
    EXPECT_EQ(round(id).phase, phase);
    EXPECT_EQ(round(id).reason, "");
    move([&](Writer& writer) {
      record_unit_failure(writer, id, "train", "broken");
      fail_round(writer, id, phase, "broken");
    });
    move([&](Writer& writer) { retry_round(writer, id, "mended"); });
    EXPECT_EQ(round(id).phase, phase);
    EXPECT_EQ(round(id).retries, 1);
    EXPECT_EQ(read([&](Reader& reader) { return count_unit_failures(reader, id, "train"); }), 0);
    move([&](Writer& writer) { cancel_round(writer, id, phase, "enough"); });
    conflict([&](Writer& writer) { resume_round(writer, id, ""); });
  }
  EXPECT_THAT(check(), testing::IsEmpty());
}

TEST_F(RoundsTest, TriggersHoldWhatTheQueriesPromise) {
  const RoundId id = new_round(new_run());
  bring_to(id, Phase::kGenerating);
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE round SET phase = 'judging'"); });
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE round_event SET why = 'another'"); });
  error_of(ErrorCode::kConflict, [&] { execute("DELETE FROM round_event"); });
  // An event of a daemon that was replaced, one from another phase, and one that is no legal move.
  error_of(ErrorCode::kConflict, [&] {
    execute(
        "INSERT INTO round_event (round_id, from_phase, to_phase, why, epoch, at) VALUES (1, 'generating', 'judging', "
        "'', 0, 0)");
  });
  error_of(ErrorCode::kConflict, [&] {
    execute(
        "INSERT INTO round_event (round_id, from_phase, to_phase, why, epoch, at) VALUES (1, 'judging', 'training', "
        "'', 1, 0)");
  });
  error_of(ErrorCode::kConflict, [&] {
    execute(
        "INSERT INTO round_event (round_id, from_phase, to_phase, why, epoch, at) VALUES (1, 'generating', "
        "'evaluating', '', 1, 0)");
  });
}

TEST_F(RoundsTest, PromotionFlipsTheServingPointerWithTheRound) {
  const RunId run = new_run();
  const RoundId id = trained_round(run);
  const auto cumulative =
      read([&](Reader& reader) { return find_adapter(reader, id, AdapterKind::kCumulative); }).value();
  move([&](Writer& writer) { promote_round(writer, id, std::nullopt, cumulative.id, "better"); });
  EXPECT_EQ(read([&](Reader& reader) { return serving_adapter(reader, run); }), cumulative.id);
  EXPECT_EQ(round(id).outcome, Outcome::kPromoted);
  const RoundId next = new_round(run);
  EXPECT_EQ(round(next).parent, cumulative.id);
  EXPECT_THAT(check(), testing::IsEmpty());
}

TEST_F(RoundsTest, PromotionIsAllOrNothing) {
  const RunId run = new_run();
  const RoundId id = trained_round(run);
  const auto delta = read([&](Reader& reader) { return find_adapter(reader, id, AdapterKind::kDelta); }).value();
  const auto cumulative =
      read([&](Reader& reader) { return find_adapter(reader, id, AdapterKind::kCumulative); }).value();
  conflict(
      [&](Writer& writer) { promote_round(writer, id, std::nullopt, delta.id, "a delta does not load on the base"); });
  conflict([&](Writer& writer) { promote_round(writer, id, cumulative.id, cumulative.id, "another was serving"); });
  EXPECT_EQ(round(id).phase, Phase::kEvaluating);
  EXPECT_EQ(read([&](Reader& reader) { return serving_adapter(reader, run); }), std::nullopt);
}

TEST_F(RoundsTest, StartsFromNothingThatIsNoCumulativeAdapter) {
  const RunId run = new_run();
  const RoundId id = trained_round(run);
  const auto delta = read([&](Reader& reader) { return find_adapter(reader, id, AdapterKind::kDelta); }).value();
  move([&](Writer& writer) { reject_round(writer, id, "worse"); });
  conflict([&](Writer& writer) { create_round(writer, {run, delta.id, Json::object()}); });
  conflict([&](Writer& writer) { create_round(writer, {run, AdapterId{99}, Json::object()}); });
}

TEST_F(RoundsTest, CountsTheFailuresOfEachUnit) {
  const RoundId id = new_round(new_run());
  move([&](Writer& writer) {
    EXPECT_EQ(record_unit_failure(writer, id, "train", "a"), 1);
    EXPECT_EQ(record_unit_failure(writer, id, "train", "b"), 2);
    EXPECT_EQ(record_unit_failure(writer, id, "generate 1", "c"), 1);
    clear_unit_failures(writer, id, "train");
    EXPECT_EQ(count_unit_failures(writer, id, "train"), 0);
    EXPECT_EQ(count_unit_failures(writer, id, "generate 1"), 1);
  });
}

TEST_F(RoundsTest, AStepDoneAgainReplacesItsLine) {
  const RoundId id = new_round(new_run());
  move([&](Writer& writer) {
    record_training_step(writer, id, {2, {{"loss", 2.0}}});
    record_training_step(writer, id, {1, {{"loss", 3.0}}});
    record_training_step(writer, id, {2, {{"loss", 1.0}}});
  });
  const auto steps = read([&](Reader& reader) { return list_training_steps(reader, id); });
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].step, 1);
  EXPECT_EQ(steps[1].metrics.at("loss"), 1.0);
}

TEST_F(RoundsTest, ListsWhatIsStillOpen) {
  const RoundId a = new_round(new_run());
  const RoundId b = new_round(new_run());
  move([&](Writer& writer) { cancel_round(writer, a, Phase::kCreated, "test"); });
  const auto open = read([](Reader& reader) { return list_open_rounds(reader); });
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].id, b);
  EXPECT_EQ(read([&](Reader& reader) { return find_round(reader, round(b).run, 1); })->id, b);
  EXPECT_THAT(
      error_of(ErrorCode::kNotFound, [&] { write([](Writer& writer) { resume_round(writer, RoundId{99}, ""); }); }),
      HasSubstr("99"));
}

}  // namespace
}  // namespace cutd
