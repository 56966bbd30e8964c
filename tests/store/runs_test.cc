#include "store/runs.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

class RunsTest : public StoreTest {
 protected:
  void move(RunId run, RunState from, RunState to) {
    write([&](Writer& writer) { move_run(writer, run, from, to, "test"); });
  }
  cutd::Run run(RunId id) {
    return read([&](Reader& reader) { return find_run(reader, id); }).value();
  }
};

TEST_F(RunsTest, KeepsEverythingItWasMadeWith) {
  const RunId id = write([](Writer& writer) {
    return create_run(writer, {.config = {{"z", 1}, {"a", "ä"}},
                               .base_model_hash = kHash,
                               .round_count = 3,
                               .patience = 2,
                               .budget = 5'000'000,
                               .ends_at = 77});
  });
  const cutd::Run made = run(id);
  EXPECT_EQ(made.config.parse().dump(), R"({"z":1,"a":"ä"})");
  EXPECT_EQ(made.base_model_hash, kHash);
  EXPECT_EQ(made.round_count, 3);
  EXPECT_EQ(made.patience, 2);
  EXPECT_EQ(made.budget, 5'000'000);
  EXPECT_EQ(made.ends_at, 77);
  EXPECT_EQ(made.state, RunState::kActive);
  EXPECT_EQ(read([&](Reader& reader) { return serving_adapter(reader, id); }), std::nullopt);
}

TEST_F(RunsTest, ServesWhatItStartsFrom) {
  const RoundId round = trained_round(new_run());
  const AdapterId adapter =
      read([&](Reader& reader) { return find_adapter(reader, round, AdapterKind::kCumulative); }).value().id;
  const auto make = [&](AdapterId start) {
    return write([&](Writer& writer) {
      return create_run(writer, {.config = Json::object(), .base_model_hash = kHash, .round_count = 1, .start = start});
    });
  };
  const RunId id = make(adapter);
  EXPECT_EQ(run(id).start, adapter);
  EXPECT_EQ(read([&](Reader& reader) { return serving_adapter(reader, id); }), adapter);
  EXPECT_TRUE(check().empty());
  error_of(ErrorCode::kConflict, [&] { make(AdapterId{99}); });
  error_of(ErrorCode::kConflict,
           [&] { write([&](Writer& writer) { quarantine_adapter(writer, adapter, "quarantine/x", "test"); }); });
}

TEST_F(RunsTest, MovesOnlyWhereTheStateAllows) {
  using enum RunState;
  const std::vector<std::pair<RunState, RunState>> allowed = {
      {kActive, kPaused}, {kActive, kCompleted}, {kActive, kFailed}, {kActive, kCancelled},
      {kPaused, kActive}, {kPaused, kCancelled}, {kFailed, kActive}, {kFailed, kCancelled}};
  for (const RunState from : {kActive, kPaused, kCompleted, kFailed, kCancelled}) {
    for (const RunState to : {kActive, kPaused, kCompleted, kFailed, kCancelled}) {
      const RunId id = new_run();
      if (from != kActive) move(id, kActive, from);
      const bool legal = std::find(allowed.begin(), allowed.end(), std::pair(from, to)) != allowed.end();
      if (legal) move(id, from, to);
      else error_of(ErrorCode::kConflict, [&] { move(id, from, to); });
      EXPECT_EQ(run(id).state, legal ? to : from) << name_of(from) << " to " << name_of(to);
    }
  }
}

TEST_F(RunsTest, RefusesAMoveFromAStateTheRunHasLeft) {
  const RunId id = new_run();
  move(id, RunState::kActive, RunState::kPaused);
  error_of(ErrorCode::kConflict, [&] { move(id, RunState::kActive, RunState::kCompleted); });
  error_of(ErrorCode::kConflict, [&] { move(RunId{99}, RunState::kActive, RunState::kPaused); });
}

TEST_F(RunsTest, ListsByState) {
  const RunId a = new_run();
  const RunId b = new_run();
  move(a, RunState::kActive, RunState::kCompleted);
  const auto active = read([](Reader& reader) { return list_runs(reader, RunState::kActive); });
  ASSERT_EQ(active.size(), 1u);
  EXPECT_EQ(active[0].id, b);
  EXPECT_EQ(read([](Reader& reader) { return list_runs(reader); }).size(), 2u);
}

TEST_F(RunsTest, DoesNotKnowTheAdapterOfARunThatIsNotThere) {
  error_of(ErrorCode::kNotFound, [&] { read([](Reader& reader) { return serving_adapter(reader, RunId{99}); }); });
}

}  // namespace
}  // namespace cutd
