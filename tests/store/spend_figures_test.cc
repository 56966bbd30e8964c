#include "store/spend_figures.h"

#include "store/attempts.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class SpendFiguresTest : public StoreTest {
 protected:
  SpendFiguresTest() {
    import(Split::kTrain, {"a", "b", "c", "d"});
    run_ = new_run({"a", "b", "c", "d"});
    round_ = new_round(run_);
    for (const UnitId unit : plan(round_, Split::kTrain, {{"a", "b", "c", "d"}})) answer(unit);
    annotator_ = annotator();
    write([&](Writer& writer) { request_judgments(writer, round_, annotator_); });
    name_ = read([&](Reader& reader) { return find_annotator(reader, annotator_)->name; });
    write([&](Writer& writer) { set_spend_caps(writer, name_, {1000, 1000, 1000, 1000}); });
    for (const Judgment& row : read([&](Reader& reader) { return list_judgments(reader, round_, annotator_); }))
      judgments_.push_back(row.id);
  }
  AttemptRowId reserve(std::size_t i) {
    std::string capped;
    return write([&](Writer& writer) { return reserve_attempt(writer, judgments_.at(i), 80, capped); }).value();
  }
  void settle(std::size_t i, std::int64_t cost, std::int64_t seconds) {
    const AttemptRowId attempt = reserve(i);
    AttemptReply reply;
    reply.cost = cost;
    reply.raw = "{}";
    write([&](Writer& writer) { settle_attempt(writer, attempt, reply); });
    execute("UPDATE judge_attempt SET settled_at = created_at + " + std::to_string(seconds * 1'000'000) +
            " WHERE id = " + std::to_string(attempt.value));
  }
  void fail(std::size_t i, const std::string& why) {
    write([&](Writer& writer) { fail_judgment(writer, judgments_.at(i), why, ""); });
  }
  void cancel() {
    write([&](Writer& writer) { cancel_round(writer, round_, Phase::kCreated, "test"); });
  }
  RequestFigures figures() {
    return read([](Reader& reader) { return read_request_figures(reader); }).at(annotator_);
  }

  RunId run_;
  RoundId round_;
  AnnotatorId annotator_;
  std::string name_;
  std::vector<JudgmentId> judgments_;
};

TEST_F(SpendFiguresTest, APaymentCountsOnceInItsRunAndRound) {
  settle(0, 30, 1);
  settle(1, 12, 1);
  reserve(2);
  const SpentSum sum = read([&](Reader& reader) { return sum_of_run(reader, run_); });
  EXPECT_EQ(sum.spent, 42);
  EXPECT_EQ(sum.reserved, 80);
  const auto rounds = read([&](Reader& reader) { return list_round_spending(reader, run_); });
  ASSERT_EQ(rounds.size(), 1u);
  EXPECT_EQ(rounds[0].round, round_);
  EXPECT_EQ(rounds[0].number, 1);
  EXPECT_EQ(rounds[0].sum.spent, 42);
  EXPECT_EQ(rounds[0].sum.reserved, 80);
}

TEST_F(SpendFiguresTest, AnotherRunHasSpentNothing) {
  settle(0, 30, 1);
  cancel();
  const RunId later = new_run({"a"});
  EXPECT_EQ(read([&](Reader& reader) { return sum_of_run(reader, later); }).spent, 0);
  EXPECT_THAT(read([&](Reader& reader) { return list_round_spending(reader, later); }), IsEmpty());
}

TEST_F(SpendFiguresTest, OnlyWhatIsAtWorkCanStillBeSpentIn) {
  constexpr std::int64_t kNoon = 1'795'694'400'000'000;  // 2026-11-26T12:00:00Z
  const std::string round = "round:" + std::to_string(round_.value);
  const auto open = [&] { return read([&](Reader& reader) { return list_open_scopes(reader, kNoon); }); };
  EXPECT_THAT(open(), ElementsAre("day:2026-11-26", round, "total"));
  cancel();
  EXPECT_THAT(open(), Not(Contains(round)));
}

TEST_F(SpendFiguresTest, TheNewestRequestsSayHowAJudgeFares) {
  settle(0, 30, 1);
  settle(1, 10, 9);
  fail(1, "unusable: the judge's answer is truncated (length)");
  settle(2, 20, 2);
  fail(2, "unusable: the judge declined");
  const AttemptRowId lost = reserve(3);
  write([&](Writer& writer) { lose_attempt(writer, lost, "the line broke"); });
  const RequestFigures found = figures();
  EXPECT_EQ(found.count, 4);
  EXPECT_EQ(found.received, 3);
  EXPECT_EQ(found.unknown, 1);
  EXPECT_EQ(found.failed, 0);
  EXPECT_EQ(found.truncated, 1);
  EXPECT_EQ(found.refused, 1);
  EXPECT_EQ(found.mean_settled, 20);
  EXPECT_DOUBLE_EQ(found.median_seconds.value(), 2);
  EXPECT_DOUBLE_EQ(found.slow_seconds.value(), 9);
}

TEST_F(SpendFiguresTest, WhoSendsNoRequestHasNoFigures) {
  EXPECT_THAT(read([](Reader& reader) { return read_request_figures(reader); }), IsEmpty());
}

}  // namespace
}  // namespace cutd
