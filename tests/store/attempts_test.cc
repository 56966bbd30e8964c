#include "store/attempts.h"
#include "store/ledger.h"

#include <atomic>
#include <barrier>
#include <thread>

#include "store/batches.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr SpendCaps kCaps{100, 250, 300, 1000};

class AttemptsTest : public StoreTest {
 protected:
  AttemptsTest() {
    import(Split::kTrain, {"a", "b", "c", "d"});
    const RunId run = new_run({"a", "b", "c", "d"});
    round_ = new_round(run);
    for (const UnitId unit : plan(round_, Split::kTrain, {{"a", "b", "c", "d"}})) answer(unit);
    annotator_ = annotator();
    write([&](Writer& writer) { request_judgments(writer, round_, annotator_); });
    name_ = read([&](Reader& reader) { return find_annotator(reader, annotator_)->name; });
    caps(kCaps);
  }
  void caps(const SpendCaps& amounts) {
    write([&](Writer& writer) { set_spend_caps(writer, name_, amounts); });
  }
  JudgmentId judgment(std::size_t i) {
    return read([&](Reader& reader) { return list_judgments(reader, round_, annotator_).at(i).id; });
  }
  // The attempt, or the cap that was reached.
  AttemptRowId reserve(std::size_t i, std::int64_t cost) {
    capped_.clear();
    const auto attempt =
        write([&](Writer& writer) { return reserve_attempt(writer, judgment_ids_.at(i), cost, capped_); });
    return attempt.value_or(AttemptRowId{});
  }
  void SetUp() override {
    for (std::size_t i = 0; i < 4; ++i) judgment_ids_.push_back(judgment(i));
  }
  void settle(AttemptRowId attempt, std::optional<std::int64_t> cost) {
    AttemptReply reply;
    reply.cost = cost;
    reply.raw = "{}";
    write([&](Writer& writer) { settle_attempt(writer, attempt, reply); });
  }
  Spending total() {
    for (const Spending& one : read([](Reader& reader) { return list_spending(reader); })) {
      if (one.scope == "total") return one;
    }
    return {};
  }
  std::vector<std::string> findings() {
    return read([&](Reader& reader) { return check_store(reader, data_dir()); });
  }

  RoundId round_;
  AnnotatorId annotator_;
  std::string name_;
  std::string capped_;
  std::vector<JudgmentId> judgment_ids_;
};

TEST_F(AttemptsTest, MoneyIsReservedThenSettledByTheReply) {
  const AttemptRowId attempt = reserve(0, 80);
  EXPECT_EQ(total().reserved, 80);
  settle(attempt, 30);
  EXPECT_EQ(total().reserved, 0);
  EXPECT_EQ(total().spent, 30);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(AttemptsTest, AReplyThatDoesNotSaySettlesAtItsReservation) {
  settle(reserve(0, 80), std::nullopt);
  settle(reserve(1, 80), -5);  // a price that cannot be
  EXPECT_EQ(total().spent, 160);
  EXPECT_THAT(findings(), IsEmpty());
}

// The ledger follows what the provider charged, not what we thought that it could at most.
TEST_F(AttemptsTest, AChargeAboveTheReservationIsBookedWholeAndBindsTheNextOne) {
  const AttemptRowId attempt = reserve(0, 80);
  settle(attempt, 230);
  EXPECT_EQ(total().spent, 230);
  EXPECT_EQ(total().reserved, 0);
  EXPECT_THAT(findings(), IsEmpty());
  const Attempt row = read([&](Reader& reader) { return find_attempt(reader, attempt); }).value();
  EXPECT_EQ(row.settled, 230);
  EXPECT_THAT(row.reason, HasSubstr("150 micro-dollars above its reservation of 80"));
  EXPECT_FALSE(reserve(1, 21));  // the round's 250 hold the whole of it
  EXPECT_EQ(capped_, "round");
  EXPECT_TRUE(reserve(1, 20));
}

TEST_F(AttemptsTest, AFailureThatWasNotChargedReleasesItsReservation) {
  const AttemptRowId attempt = reserve(0, 80);
  write([&](Writer& writer) { fail_attempt(writer, attempt, 429, "slow down"); });
  EXPECT_EQ(total().reserved + total().spent, 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(AttemptsTest, NoCapIsPassed) {
  EXPECT_FALSE(reserve(0, 101));
  EXPECT_EQ(capped_, "request");
  reserve(0, 100);
  reserve(1, 100);
  EXPECT_FALSE(reserve(2, 51));
  EXPECT_EQ(capped_, "round");
  EXPECT_TRUE(reserve(2, 50));
  caps({1000, 10000, 300, 1000});
  EXPECT_FALSE(reserve(3, 51));
  EXPECT_EQ(capped_, "day");
  caps({1000, 10000, 301, 1000});
  EXPECT_TRUE(reserve(3, 51));
  caps({1000, 10000, 10000, 310});
  EXPECT_FALSE(reserve(3, 10));
  EXPECT_EQ(capped_, "total");
  EXPECT_EQ(total().reserved, 301);  // refusals wrote nothing
  EXPECT_THAT(findings(), IsEmpty());
}

// P4: 256 workers race for the last cent.
TEST_F(AttemptsTest, WorkersThatRaceForTheLastCentNeverPassTheCap) {
  constexpr std::int64_t kCap = 205;
  caps({10, 1000, 1000, kCap});
  std::atomic<int> admitted{0};
  std::atomic<std::int64_t> most{0};
  std::atomic<bool> over{false};
  std::jthread watcher([&] {
    while (!over) {
      const Spending now = total();
      most = std::max<std::int64_t>(most, now.reserved + now.spent);
    }
  });
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < 256; ++i) {
      workers.emplace_back([&, i] {
        std::string capped;
        const auto attempt = store().write([&](Writer& writer) {
          return reserve_attempt(writer, judgment_ids_.at(i % judgment_ids_.size()), 10, capped);
        });
        admitted += attempt ? 1 : 0;
        if (attempt && i % 3 == 0) settle(*attempt, 7);
      });
    }
  }
  over = true;
  watcher.join();
  EXPECT_LE(most, kCap);
  EXPECT_LE(total().reserved + total().spent, kCap);
  EXPECT_GE(admitted, 20);  // what settled below its reservation made room for others
  EXPECT_THAT(findings(), IsEmpty());
}

// The negative control: looked at before the writer's transaction, the cap is passed.
TEST_F(AttemptsTest, LookingBeforeTheTransactionWouldPassTheCap) {
  constexpr std::int64_t kCap = 25;
  caps({10, 1000, 1000, 1000});
  std::barrier all(8);
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < 8; ++i) {
      workers.emplace_back([&, i] {
        const Spending seen = total();
        all.arrive_and_wait();
        std::string capped;
        if (seen.reserved + seen.spent + 10 > kCap) return;
        store().write([&](Writer& writer) {
          return reserve_attempt(writer, judgment_ids_.at(i % judgment_ids_.size()), 10, capped);
        });
      });
    }
  }
  EXPECT_GT(total().reserved, kCap);
}

TEST_F(AttemptsTest, ALostAnswerThatAPersonFreedIsAskedAgainOnlyWhileItsRoundJudges) {
  const AttemptRowId attempt = reserve(0, 80);
  write([&](Writer& writer) {
    lose_attempt(writer, attempt, "the connection broke");
    fail_judgment(writer, judgment_ids_[0], "unknown: its answer was lost");
    resolve_attempt(writer, attempt, AttemptResolution::kNotCharged);
  });
  bring_to(round_, Phase::kTraining);
  EXPECT_FALSE(write([&](Writer& writer) { return reopen_held_judgment(writer, attempt); }));
  EXPECT_EQ(read([&](Reader& reader) { return list_judgments(reader, round_, annotator_)[0].state; }),
            JudgmentState::kFailed);
}

TEST_F(AttemptsTest, AStoredReplyIsUnreadUntilItsJudgmentIsSettled) {
  const auto unread = [&] { return read([&](Reader& reader) { return list_unread_replies(reader, name_); }); };
  reserve(0, 80);
  EXPECT_THAT(unread(), IsEmpty());
  settle({read([&](Reader& reader) { return list_attempts(reader)[0].id; })}, 30);
  ASSERT_THAT(unread(), SizeIs(1));
  EXPECT_EQ(unread()[0].reply.raw, "{}");
  write([&](Writer& writer) { fail_judgment(writer, judgment_ids_[0], "unusable: not JSON", "{}"); });
  EXPECT_THAT(unread(), IsEmpty());
  // A retry asks again: the old reply was read.
  write([&](Writer& writer) { retry_failed_judgments(writer, round_, annotator_); });
  EXPECT_THAT(unread(), IsEmpty());
  const AttemptRowId second = reserve(0, 80);
  write([&](Writer& writer) { begin_judgment_attempt(writer, judgment_ids_[0]); });
  settle(second, 30);
  EXPECT_THAT(unread(), SizeIs(1));
}

TEST_F(AttemptsTest, AnOpenBatchIsNotLostWithItsDaemon) {
  write([&](Writer& writer) {
    const BatchRowId batch = add_batch(writer, name_, "cutd-1");
    std::string capped;
    put_into_batch(writer, batch, reserve_attempt(writer, judgment_ids_[0], 80, capped).value());
    put_into_batch(writer, batch, reserve_attempt(writer, judgment_ids_[1], 80, capped).value());
  });
  reserve(2, 50);
  reopen();
  EXPECT_EQ(write([](Writer& writer) { return lose_old_intents(writer); }), 1);  // the single request alone
  const auto open = read([&](Reader& reader) { return list_open_batches(reader, name_); });
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_THAT(open[0].attempts, SizeIs(2));
  EXPECT_EQ(open[0].provider_id, "");
  write([&](Writer& writer) {
    batch_created(writer, "cutd-1", "batch_9");
    settle_attempt(writer, open[0].attempts[0].attempt, {.cost = 30, .raw = "{}"});
  });
  EXPECT_THROW(write([&](Writer& writer) { batch_created(writer, "cutd-1", "batch_10"); }), Error);
  write([&](Writer& writer) { batch_failed(writer, "cutd-1", "the provider refused it"); });
  EXPECT_THAT(read([&](Reader& reader) { return list_open_batches(reader, name_); }), IsEmpty());
  EXPECT_EQ(total().spent, 30);
  EXPECT_EQ(total().reserved, 50);  // of what was lost
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(AttemptsTest, TheLedgerListsEveryMovementNewestFirst) {
  settle(reserve(0, 80), 30);
  reserve(1, 70);
  const auto entries = read([&](Reader& reader) { return list_ledger(reader, RunId{0}, 0, 10); });
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[0].kind, "reserve");
  EXPECT_EQ(entries[0].amount, 70);
  EXPECT_EQ(entries[1].kind, "settle");
  EXPECT_EQ(entries[2].amount, 80);
  EXPECT_EQ(entries[0].round, round_);
  EXPECT_THAT(read([&](Reader& reader) { return list_ledger(reader, RunId{0}, entries[0].id, 1); }), SizeIs(1));
  EXPECT_THAT(read([&](Reader& reader) { return list_ledger(reader, RunId{999}, 0, 10); }), IsEmpty());
  EXPECT_EQ(read([&](Reader& reader) { return spent_on_run(reader, round(round_).run, annotator_, annotator_); }), 100);
}

TEST_F(AttemptsTest, WithoutCapsNothingIsSent) {
  execute("DELETE FROM spend_cap WHERE kind = 'day'");
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { reserve(0, 1); }), HasSubstr("no spending caps"));
}

TEST_F(AttemptsTest, NothingIsReservedForARunOrRoundThatIsPausedOrOver) {
  const RunId run = round(round_).run;
  EXPECT_TRUE(reserve(0, 10));
  write([&](Writer& writer) { move_run(writer, run, RunState::kActive, RunState::kPaused, "lunch"); });
  EXPECT_FALSE(reserve(1, 10));
  EXPECT_EQ(capped_, "");  // no cap: it is not wanted now
  write([&](Writer& writer) { move_run(writer, run, RunState::kPaused, RunState::kActive, "back"); });
  EXPECT_TRUE(reserve(1, 10));
  write([&](Writer& writer) { pause_round(writer, round_, round(round_).phase, "disk"); });
  EXPECT_FALSE(reserve(2, 10));
  write([&](Writer& writer) { resume_round(writer, round_, "room"); });
  EXPECT_TRUE(reserve(2, 10));
  write([&](Writer& writer) { cancel_round(writer, round_, round(round_).phase, "enough"); });
  EXPECT_FALSE(reserve(3, 10));
  EXPECT_EQ(total().reserved, 30);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(AttemptsTest, NothingIsReservedForAJudgmentThatSomeoneElseSettled) {
  write([&](Writer& writer) { fail_judgment(writer, judgment_ids_[0], "by hand"); });
  EXPECT_FALSE(reserve(0, 10));
  EXPECT_EQ(capped_, "");
  EXPECT_EQ(total().reserved, 0);
}

// Evaluations belong to no run: they are wanted while one with their annotator is at work.
TEST_F(AttemptsTest, AnEvaluationIsPaidForWhileAnActiveRunAsksItsAnnotator) {
  import(Split::kGate, {"g", "h"});
  const EvaluationId evaluation = write([&](Writer& writer) {
    return ensure_evaluation(writer, {kHash, std::string(64, 'b'), annotator_, std::string(64, 'c')}, Split::kGate);
  });
  for (const UnitId unit : plan(evaluation, Split::kGate, {{"g", "h"}})) answer(unit);
  write([&](Writer& writer) { request_judgments(writer, evaluation, annotator_); });
  const auto asked = read([&](Reader& reader) { return list_judgments(reader, evaluation, annotator_); });
  judgment_ids_ = {asked.at(0).id, asked.at(1).id};
  EXPECT_FALSE(reserve(0, 10));  // the only run asks nobody
  const RunId run = write([&](Writer& writer) {
    return create_run(writer, {.config = {{"annotator", annotator_.value}},
                               .base_model_hash = kHash,
                               .round_count = 1,
                               .patience = 1,
                               .train = {}});
  });
  EXPECT_TRUE(reserve(0, 10));
  write([&](Writer& writer) { move_run(writer, run, RunState::kActive, RunState::kCancelled, "enough"); });
  EXPECT_FALSE(reserve(1, 10));
  EXPECT_EQ(capped_, "");
}

TEST_F(AttemptsTest, AnIntentOfAnEarlierDaemonBecomesUnknownAndStaysCharged) {
  reserve(0, 80);
  EXPECT_EQ(write([](Writer& writer) { return lose_old_intents(writer); }), 0);  // our own
  reopen();
  EXPECT_EQ(write([](Writer& writer) { return lose_old_intents(writer); }), 1);
  EXPECT_EQ(total().reserved, 80);
  EXPECT_THAT(read([](Reader& reader) { return list_judgments_with_open_unknown(reader); }),
              ElementsAre(judgment_ids_[0]));
  EXPECT_THAT(read([](Reader& reader) { return list_attempts(reader, AttemptState::kUnknown); }), SizeIs(1));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(AttemptsTest, APersonSettlesWhatIsUnknown) {
  const AttemptRowId first = reserve(0, 80), second = reserve(1, 70), third = reserve(2, 60);
  for (const AttemptRowId attempt : {first, second, third}) {
    write([&](Writer& writer) { lose_attempt(writer, attempt, "the connection broke"); });
  }
  write([&](Writer& writer) { resolve_attempt(writer, first, AttemptResolution::kCharged); });
  write([&](Writer& writer) { resolve_attempt(writer, second, AttemptResolution::kNotCharged); });
  write([&](Writer& writer) { resolve_attempt(writer, third, AttemptResolution::kResend); });
  EXPECT_EQ(total().reserved, 0);
  EXPECT_EQ(total().spent, 140);
  EXPECT_THAT(read([](Reader& reader) { return list_judgments_with_open_unknown(reader); }), IsEmpty());
  EXPECT_THAT(
      error_of(ErrorCode::kConflict,
               [&] { write([&](Writer& writer) { resolve_attempt(writer, first, AttemptResolution::kNotCharged); }); }),
      HasSubstr("resolved before"));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(AttemptsTest, TriesAreNumberedAndResendsAfterLostOnesCounted) {
  const AttemptRowId first = reserve(0, 10);
  write([&](Writer& writer) { lose_attempt(writer, first, "lost"); });
  reserve(0, 10);
  reserve(1, 10);
  const auto tries = read([&](Reader& reader) { return list_attempts_of(reader, judgment_ids_[0]); });
  ASSERT_THAT(tries, SizeIs(2));
  EXPECT_EQ(tries[1].number, 2);
  EXPECT_EQ(read([&](Reader& reader) { return count_resends_since(reader, name_, 0); }), 1);
}

TEST_F(AttemptsTest, AttemptsAndLedgerAreNeitherChangedNorRemoved) {
  settle(reserve(0, 80), 30);
  EXPECT_THROW(execute("DELETE FROM judge_attempt"), Error);
  EXPECT_THROW(execute("DELETE FROM ledger"), Error);
  EXPECT_THROW(execute("UPDATE ledger SET amount = 0"), Error);
}

// The negative control of the checker: each kind of damage is found.
TEST_F(AttemptsTest, TheCheckerFindsMoneyThatWentAstray) {
  settle(reserve(0, 80), 30);
  execute("UPDATE balance SET spent = spent - 1 WHERE scope = 'total'");
  EXPECT_THAT(findings(), Not(IsEmpty()));
  execute("UPDATE balance SET spent = spent + 1 WHERE scope = 'total'");
  EXPECT_THAT(findings(), IsEmpty());
  execute("UPDATE judge_attempt SET settled = 29");
  EXPECT_THAT(findings(), Not(IsEmpty()));
}

TEST_F(AttemptsTest, TheRateLimitersStateIsKept) {
  EXPECT_TRUE(read([&](Reader& reader) { return find_rate_state(reader, name_); }).is_null());
  write([&](Writer& writer) { save_rate_state(writer, name_, {{"requests_ms", 5}}); });
  write([&](Writer& writer) { save_rate_state(writer, name_, {{"requests_ms", 7}}); });
  EXPECT_EQ(read([&](Reader& reader) { return find_rate_state(reader, name_); })["requests_ms"], 7);
}

}  // namespace
}  // namespace cutd
