#include "store/lineage.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

class LineageTest : public StoreTest {
 protected:
  std::vector<LineageRow> rows(RunId run, std::optional<RoundId> round = {}) {
    return read([&](Reader& reader) { return list_lineage(reader, run, round); });
  }
};

TEST_F(LineageTest, SaysWhoJudgedAndWhatItTrained) {
  import(Split::kTrain, {"a", "b", "c", "d"});
  import(Split::kGate, {"g"});
  const RunId run = new_run({"a", "b", "c", "d"});
  const RoundId round = trained_round(run);
  const std::vector<LineageRow> lineage = rows(run);
  ASSERT_FALSE(lineage.empty());
  std::size_t trained = 0;
  for (const LineageRow& row : lineage) {
    EXPECT_EQ(row.round, round);
    EXPECT_FALSE(row.annotator.empty());
    EXPECT_FALSE(row.annotator_version.empty());
    EXPECT_EQ(row.state == JudgmentState::kDone, row.label.has_value());
    if (row.manifest.empty()) continue;
    ++trained;
    EXPECT_TRUE(row.position);
    EXPECT_EQ(row.delta_adapter.size(), 64U);
    EXPECT_EQ(row.cumulative_adapter.size(), 64U);
  }
  EXPECT_GT(trained, 0U);
  EXPECT_EQ(rows(run, round).size(), lineage.size());
  EXPECT_TRUE(rows(run, RoundId{999}).empty());
  EXPECT_TRUE(rows(RunId{999}).empty());
}

TEST_F(LineageTest, AFailedJudgmentHasNoLabel) {
  import(Split::kTrain, {"a"});
  const RunId run = new_run({"a"});
  const RoundId round = new_round(run);
  const auto units = plan(round, Split::kTrain, {{"a"}});
  const AnnotatorId editor = annotator();
  answer(units[0]);
  write([&](Writer& writer) { request_judgments(writer, round, editor); });
  const JudgmentId judgment = rows(run).at(0).judgment;
  EXPECT_EQ(rows(run).at(0).state, JudgmentState::kPending);
  write([&](Writer& writer) { fail_judgment(writer, judgment, "unusable: empty", ""); });
  const LineageRow row = rows(run).at(0);
  EXPECT_EQ(row.state, JudgmentState::kFailed);
  EXPECT_FALSE(row.label);
  EXPECT_FALSE(row.validated);
  EXPECT_EQ(row.failure, "unusable: empty");
}

}  // namespace
}  // namespace cutd
