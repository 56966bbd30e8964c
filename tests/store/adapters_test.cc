#include "store/adapters.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

class AdaptersTest : public StoreTest {
 protected:
  AdaptersTest() : run_(new_run()), round_(new_round(run_)) {}
  AdapterId add(NewAdapter adapter) {
    return write([&](Writer& writer) { return add_adapter(writer, adapter); });
  }
  void quarantine(AdapterId id) {
    write([&](Writer& writer) { quarantine_adapter(writer, id, "quarantine/a", "bytes changed"); });
  }
  NewAdapter adapter() const {
    return {kHash, std::string(64, 'b'), AdapterKind::kDelta, "deltas/a", std::nullopt, round_};
  }

  RunId run_;
  RoundId round_;
};

TEST_F(AdaptersTest, AreAddedOncePerRoundAndKind) {
  const AdapterId id = add(adapter());
  EXPECT_EQ(add(adapter()), id) << "a redo finds its own work";
  NewAdapter other = adapter();
  other.hash = std::string(64, 'c');
  error_of(ErrorCode::kConflict, [&] { add(other); });
  other.kind = AdapterKind::kCumulative;
  EXPECT_NE(add(other), id);
  const Adapter kept = read([&](Reader& reader) { return find_adapter(reader, id); }).value();
  EXPECT_EQ(kept.hash, kHash);
  EXPECT_EQ(kept.folder_hash, std::string(64, 'b'));
  EXPECT_EQ(kept.path, "deltas/a");
  EXPECT_EQ(kept.state, AdapterState::kVerified);
}

TEST_F(AdaptersTest, ADamagedOneIsPutAsideAndCanBeMadeAgain) {
  const AdapterId id = add(adapter());
  quarantine(id);
  EXPECT_FALSE(read([&](Reader& reader) { return find_adapter(reader, round_, AdapterKind::kDelta); }));
  const Adapter kept = read([&](Reader& reader) { return find_adapter(reader, id); }).value();
  EXPECT_EQ(kept.state, AdapterState::kQuarantined);
  EXPECT_EQ(kept.path, "quarantine/a");
  EXPECT_EQ(kept.reason, "bytes changed");
  EXPECT_NE(add(adapter()), id);
  error_of(ErrorCode::kConflict, [&] { quarantine(id); });
}

TEST_F(AdaptersTest, OneInUseIsNotPutAside) {
  const RunId run = new_run();
  const RoundId trained = trained_round(run);
  const Adapter cumulative =
      read([&](Reader& reader) { return find_adapter(reader, trained, AdapterKind::kCumulative); }).value();
  write([&](Writer& writer) { promote_round(writer, trained, std::nullopt, cumulative.id, "better"); });
  error_of(ErrorCode::kConflict, [&] { quarantine(cumulative.id); });
}

TEST_F(AdaptersTest, ListsThoseOfOneRun) {
  add(adapter());
  trained_round(new_run());
  EXPECT_EQ(read([&](Reader& reader) { return list_adapters(reader, run_); }).size(), 1u);
  EXPECT_EQ(read([](Reader& reader) { return list_adapters(reader); }).size(), 3u);
}

}  // namespace
}  // namespace cutd
