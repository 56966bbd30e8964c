#include "store/queue.h"

#include <random>
#include <set>

#include "store/people.h"
#include "store/queue_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using JudgmentLabel::kNegative;
using JudgmentLabel::kPositive;

std::vector<GoldItem> gold_items(int count) {
  std::vector<GoldItem> items;
  for (int i = 0; i < count; ++i) {
    items.push_back({"gold instruction " + std::to_string(i), "", "gold answer " + std::to_string(i),
                     i % 2 == 0 ? kPositive : kNegative, Json()});
  }
  return items;
}

TEST_F(QueueTest, FillsItselfFromPendingJudgmentsOfPeopleOnce) {
  open_queue(3);
  EXPECT_EQ(tasks().size(), 3u);
  EXPECT_FALSE(read([](Reader& reader) { return queues_want_filling(reader); }));
  EXPECT_EQ(fill(), 0u);
}

TEST_F(QueueTest, TakesLeasesOverAReboot) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem item = take(a);
  now_ += 10 * kMinute;
  sweep();
  reopen();
  now_ = 5000;  // the boot clock begins anew
  write([&](Writer& writer) { begin_queues(writer, {"boot-2", now_}); });
  now_ += 10 * kMinute - 1;
  EXPECT_EQ(claim(person("b")).why, "empty");
  EXPECT_EQ(submit(a, item).state, "counted");
}

TEST_F(QueueTest, EndsLeasesThatNobodyTookUpAfterAReboot) {
  open_queue(1);
  take(person("a"));
  now_ += kLeaseMs - 1000;
  sweep();
  reopen();
  now_ = 5000;
  write([&](Writer& writer) { begin_queues(writer, {"boot-2", now_}); });
  now_ += kGraceAfterRestartMs - 1;
  EXPECT_EQ(claim(person("b")).why, "empty");
  now_ += 1;
  EXPECT_TRUE(claim(person("c")).item);
}

TEST_F(QueueTest, ClosesWithWhatIsCountedOnceLiveLeasesAreOver) {
  open_queue(3, {.overlap = 2});
  const UserId a = person("a"), b = person("b");
  const LeasedItem whole = take(a);
  submit(a, whole);
  submit(b, take(b));
  submit(a, take(a), kPositive, "Perfect.");
  const LeasedItem held = take(a);
  close();
  EXPECT_EQ(queue().state, "closing");
  EXPECT_EQ(claim(b).why, "closed");
  sweep();
  EXPECT_EQ(queue().state, "closing");
  now_ += kLeaseMs;
  EXPECT_TRUE(sweep());
  EXPECT_EQ(queue().state, "closed");
  EXPECT_EQ(submit(a, held).state, "surplus");
  int labelled = 0;
  for (const Judgment& judgment : judgments()) {
    if (judgment.state == JudgmentState::kDone) ++labelled;
    else EXPECT_THAT(judgment.failure, StartsWith(kClosedFailure));
  }
  EXPECT_EQ(labelled, 2);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueTest, ClosesAtOnceWhenNobodyHoldsAnything) {
  open_queue(2);
  close();
  EXPECT_EQ(queue().state, "closed");
  close();
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueTest, ClosesAtItsDeadline) {
  open_queue(2, {.deadline_ms = 3 * kLongestMs});
  now_ += 3 * kLongestMs - 1;
  sweep();
  EXPECT_EQ(queue().state, "open");
  now_ += 1;
  sweep();
  EXPECT_EQ(queue().state, "closed");
}

TEST_F(QueueTest, OpensAgainForJudgmentsThatAreAskedForAnew) {
  open_queue(2);
  close();
  write([&](Writer& writer) { retry_failed_judgments(writer, round_, annotator_); });
  EXPECT_TRUE(read([](Reader& reader) { return queues_want_filling(reader); }));
  EXPECT_EQ(fill(), 1u);
  EXPECT_EQ(queue().state, "open");
  const UserId a = person("a");
  submit(a, take(a));
  EXPECT_EQ(counts().open, 1);
}

TEST_F(QueueTest, EndsWithItsRound) {
  open_queue(2);
  take(person("a"));
  write([&](Writer& writer) { cancel_round(writer, round_, Phase::kJudging, "not wanted"); });
  sweep();
  EXPECT_EQ(queue().state, "closed");
  EXPECT_EQ(counts().leased, 0);
}

TEST_F(QueueTest, ResolvesDisagreementByItsRule) {
  open_queue(1, {.overlap = 2, .agreement = "all"});
  const UserId a = person("a"), b = person("b");
  submit(a, take(a), kPositive, "Perfect.");
  submit(b, take(b));
  EXPECT_EQ(judgments()[0].state, JudgmentState::kFailed);
  EXPECT_THAT(judgments()[0].failure, HasSubstr("people disagree"));
}

TEST_F(QueueTest, AsksAnOperatorWhereADisagreementIsAskedForAgain) {
  open_queue(1, {.overlap = 2, .agreement = "all"});
  const UserId a = person("a"), b = person("b");
  submit(a, take(a), kPositive, "Perfect.");
  submit(b, take(b));
  write([&](Writer& writer) { retry_failed_judgments(writer, round_, annotator_); });
  fill();
  EXPECT_EQ(counts().needs_review, 1);
  EXPECT_FALSE(read([](Reader& reader) { return queues_want_filling(reader); }));
}

TEST_F(QueueTest, AsksOnePersonMoreWhenAnOperatorReopensADraw) {
  open_queue(1, {.overlap = 2, .agreement = "majority"});
  const UserId a = person("a"), b = person("b"), c = person("c");
  submit(a, take(a), kPositive, "Perfect.");
  submit(b, take(b));
  EXPECT_EQ(counts().needs_review, 1);
  write([&](Writer& writer) { reopen_review(writer, tasks()[0].item); });
  EXPECT_EQ(claim(a).why, "empty");
  submit(c, take(c), kNegative, "It is wrong.");
  EXPECT_EQ(judgments()[0].text, "It is too long.");  // the first of the winning side
}

TEST_F(QueueTest, BlocksTheCarelessAndCountsTheirWorkNoMore) {
  open_queue(40, {.gold_share = 0.5});
  const UserId clicker = person("clicker"), honest = person("honest");
  write([&](Writer& writer) { add_gold(writer, annotator_, gold_items(20)); });
  for (int i = 0; i < 3; ++i) submit(clicker, take(clicker), kPositive, "");
  ASSERT_EQ(counts().submitted, 3);
  int gold = 0;
  while (true) {
    const ClaimResult next = claim(clicker, {}, 0);  // gold is due each time
    if (!next.item) {
      EXPECT_EQ(next.why, "blocked");
      break;
    }
    ++gold;
    ASSERT_LE(gold, 20);
    submit(clicker, *next.item, kPositive, "");
  }
  EXPECT_GT(gold, 6);
  EXPECT_EQ(counts().submitted, 0);
  EXPECT_EQ(counts().surplus, 3);
  for (const Judgment& judgment : judgments()) EXPECT_EQ(judgment.state, JudgmentState::kPending);
  for (int i = 0; i < 40; ++i) submit(honest, take(honest));
  EXPECT_EQ(counts().submitted, 40);
  EXPECT_THAT(check(), IsEmpty());
  write([&](Writer& writer) { unblock_person(writer, clicker); });
  EXPECT_NE(claim(clicker).why, "blocked");
}

TEST_F(QueueTest, MeetsEachGoldItemOnceAndOnlyBesideRealOnes) {
  open_queue(3, {.gold_share = 0.1});
  const UserId a = person("a");
  write([&](Writer& writer) { add_gold(writer, annotator_, gold_items(2)); });
  std::set<std::string> met;
  for (int i = 0; i < 5; ++i) {
    const LeasedItem item = *claim(a, {}, 0).item;
    EXPECT_TRUE(met.insert(item.response).second);
    submit(a, item, item.response == "gold answer 0" ? kPositive : kNegative);
  }
  EXPECT_EQ(claim(a, {}, 0).why, "empty");
  const auto person = read([&](Reader& reader) { return list_queue_people(reader, round_); }).at(0);
  EXPECT_EQ(person.gold_seen, 2);
  EXPECT_EQ(person.gold_right, 2);
  EXPECT_EQ(counts().needed, 3);  // gold is none of the work
}

TEST_F(QueueTest, LetsAnOperatorsVerdictStandWhenAPersonIsBlocked) {
  open_queue(20, {.overlap = 2, .agreement = "adjudicate", .gold_share = 0.5});
  const UserId clicker = person("clicker"), honest = person("honest");
  write([&](Writer& writer) { add_gold(writer, annotator_, gold_items(20)); });
  submit(clicker, take(clicker), kPositive, "");
  submit(honest, take(honest));
  ASSERT_EQ(counts().needs_review, 1);
  const std::string item = read([&](Reader& reader) { return list_review(reader, round_, TaskId{0}, 1).at(0).item; });
  write([&](Writer& writer) { settle_review(writer, item, {kNegative, "The operator's word.", {}}, "operator"); });
  while (const auto next = claim(clicker, {}, 0).item) submit(clicker, *next, kPositive, "");
  ASSERT_EQ(claim(clicker).why, "blocked");
  EXPECT_EQ(counts().surplus, 1);
  int by_operator = 0;
  for (const Judgment& judgment : judgments()) by_operator += judgment.text == "The operator's word." ? 1 : 0;
  EXPECT_EQ(by_operator, 1);
  EXPECT_THAT(check(), IsEmpty());
}

// What a person's figures do when they claim an item and give it back, or submit it.
class GoldProgressTest : public QueueTest {
 protected:
  std::vector<std::int64_t> figures(UserId user) {
    const OwnProgress own = read([&](Reader& reader) { return own_progress(reader, user); });
    return {own.available, own.pending, own.draft, own.submitted, own.skipped, own.total, own.done};
  }
  std::vector<std::int64_t> moves(UserId user, bool gold, bool give_back) {
    const std::vector<std::int64_t> before = figures(user);
    const LeasedItem item = *claim(user, {}, gold ? 0 : 1).item;
    EXPECT_EQ(item.response.starts_with("gold"), gold);
    std::vector<std::int64_t> all = figures(user);
    if (give_back) release(user, item);
    else submit(user, item, item.response == "gold answer 0" ? kPositive : kNegative);
    for (const std::int64_t figure : figures(user)) all.push_back(figure);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] -= before[i % before.size()];
    return all;
  }
};

TEST_F(GoldProgressTest, MovesForGoldAsForEveryOtherItem) {
  for (const int overlap : {1, 3}) {
    open_queue(6, {.overlap = overlap, .gold_share = 0.5});
    write([&](Writer& writer) { add_gold(writer, annotator_, gold_items(4)); });
    const UserId a = person("a" + std::to_string(overlap));
    for (const bool give_back : {true, false}) EXPECT_EQ(moves(a, true, give_back), moves(a, false, give_back));
    if (overlap == 1) close();
  }
}

TEST_F(QueueTest, GivesBackGoldThatWasReleased) {
  open_queue(1, {.gold_share = 0.5});
  write([&](Writer& writer) { add_gold(writer, annotator_, gold_items(1)); });
  const UserId a = person("a");
  const LeasedItem gold = *claim(a, {}, 0).item;
  ASSERT_EQ(gold.response, "gold answer 0");
  release(a, gold);
  submit(a, take(a));
  EXPECT_EQ(claim(a).why, "cooling_down");
  now_ += kCoolDownMs;
  EXPECT_EQ(take(a).response, "gold answer 0");
}

TEST_F(QueueTest, TellsAPersonOfTheQueuesTheyMayWorkInAlone) {
  open_queue(2, {.tags = {"medicine"}});
  const auto total = [&](UserId user) {
    return read([&](Reader& reader) { return own_progress(reader, user); }).total;
  };
  EXPECT_EQ(total(person("a")), 0);
  EXPECT_EQ(total(person("b", "[\"medicine\"]")), 2);
}

TEST_F(QueueTest, AsksAnOperatorWhenTheLastWhoCouldJudgeIsRevoked) {
  open_queue(1);
  const UserId a = person("a"), b = person("b");
  skip(a, take(a));
  take(b);
  EXPECT_EQ(counts().needs_review, 0);
  write([&](Writer& writer) { revoke_user(writer, b); });
  EXPECT_EQ(counts().needs_review, 1);
}

TEST_F(QueueTest, AsksAnOperatorWhenTheLastWhoCouldJudgeIsBlocked) {
  open_queue(20, {.gold_share = 0.5});
  const UserId a = person("a"), clicker = person("clicker");
  write([&](Writer& writer) { add_gold(writer, annotator_, gold_items(20)); });
  skip(a, take(a));
  while (const auto next = claim(clicker, {}, 0).item) submit(clicker, *next, kPositive, "");
  ASSERT_EQ(claim(clicker).why, "blocked");
  EXPECT_EQ(counts().needs_review, 1);
}

TEST_F(QueueTest, SeesInTheSweepThatNobodyIsLeft) {
  open_queue(1);
  const UserId a = person("a");
  person("b");
  skip(a, take(a));
  execute("UPDATE user SET role = 'viewer' WHERE name = 'b'");
  EXPECT_EQ(counts().needs_review, 0);
  sweep();
  EXPECT_EQ(counts().needs_review, 1);
}

TEST_F(QueueTest, ImportsWorkOfOtherToolsOnce) {
  open_queue(2);
  const std::vector<ImportedWork> work = {{tasks()[0].item, "argilla 3f", false, {kNegative, "Too dry.", {}}},
                                          {tasks()[0].item, "argilla 4a", false, {kPositive, "Perfect.", {}}},
                                          {std::string(32, 'f'), "argilla 3f", false, {kNegative, "What?", {}}}};
  const auto import = [&] { return write([&](Writer& writer) { return import_work(writer, queue().id, work); }); };
  const ImportedCounts first = import();
  EXPECT_EQ(first.added, 2);
  EXPECT_EQ(first.unmatched, 1);
  EXPECT_EQ(judgments()[0].text, "Too dry.");
  EXPECT_EQ(counts().submitted, 1);
  EXPECT_EQ(counts().surplus, 1);  // the second one: the overlap is 1
  EXPECT_EQ(import().known, 2);
  EXPECT_THAT(check(), IsEmpty());
}

// What no code can do, whatever it forgets.

TEST_F(QueueTest, IsRefusedByTheDatabaseToHoldAnItemTwice) {
  open_queue(1, {.overlap = 2});
  const UserId a = person("a");
  take(a);
  const std::string again =
      "INSERT INTO lease (item, task_id, user_id, state, deadline_ms, longest_ms, claimed_at, updated_at) "
      "SELECT '" +
      std::string(32, 'e') + "', task_id, user_id, 'live', 1, 1, 1, 1 FROM lease";
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { execute(again); }), HasSubstr("UNIQUE"));
  execute("DROP INDEX lease_once");  // the negative control
  execute(again);
  EXPECT_THAT(check(), testing::Contains(HasSubstr("held or settled 2 times")));
}

TEST_F(QueueTest, IsRefusedByTheDatabaseToGiveOutMoreThanTheOverlap) {
  open_queue(1);
  take(person("a"));
  const std::string more =
      "INSERT INTO lease (item, task_id, user_id, state, deadline_ms, longest_ms, claimed_at, updated_at) "
      "SELECT '" +
      std::string(32, 'e') + "', task_id, " + std::to_string(person("b").value) + ", 'live', 1, 1, 1, 1 FROM lease";
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { execute(more); }), HasSubstr("CHECK"));
  execute("DROP TRIGGER lease_is_counted");  // the negative control
  execute(more);
  EXPECT_THAT(check(), Not(IsEmpty()));
}

TEST_F(QueueTest, IsRefusedByTheDatabaseToChangeOrRemoveWork) {
  open_queue(1);
  const UserId a = person("a");
  submit(a, take(a));
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE lease SET text = 'Perfect.'"); });
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE lease SET state = 'live'"); });
  error_of(ErrorCode::kConflict, [&] { execute("DELETE FROM lease"); });
}

// People who claim, submit, skip, give back and go away at random: what was counted in the end.
class QueueSwarmTest : public QueueTest {
 protected:
  void work(int people_count, int items) {
    open_queue(items, {.overlap = 3});
    std::mt19937 random(7);
    const std::vector<UserId> everybody = people(people_count);
    for (int step = 0; step < items * 60 && counts_open(); ++step) {
      const UserId who = everybody[random() % everybody.size()];
      const ClaimResult claimed = claim(who);
      if (claimed.item) act(who, *claimed.item, random() % 100);
      now_ += random() % 20'000;
    }
  }
  bool counts_open() { return counts().submitted < counts().needed; }
  void act(UserId who, const LeasedItem& item, unsigned what) {
    if (what < 60) submit(who, item);
    else if (what < 65) skip(who, item);
    else if (what < 75) release(who, item);
    else if (what < 80) draft(who, item, "later");
    // else the person has gone away
  }
};

TEST_F(QueueSwarmTest, EndsWithExactlyThreePeoplePerItem) {
  work(25, 30);
  EXPECT_EQ(counts().submitted, 90);
  for (const QueueTask& task : tasks()) {
    std::set<std::string> who;
    for (const TaskWork& one : task.work) {
      if (one.state == "done") {
        EXPECT_TRUE(who.insert(one.person).second);
      }
    }
    EXPECT_EQ(who.size(), 3u);
    EXPECT_EQ(task.state, "settled");
  }
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueSwarmTest, WouldSeeWhenNothingCountedTheLeases) {
  execute("DROP TRIGGER lease_is_counted");
  execute("DROP TRIGGER lease_is_counted_again");
  work(25, 4);
  EXPECT_THAT(check(), Not(IsEmpty()));
}

}  // namespace
}  // namespace cutd
