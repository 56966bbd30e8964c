#include "store/queue_lease.h"

#include "store/queue_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

using JudgmentLabel::kNegative;
using JudgmentLabel::kPositive;

TEST_F(QueueTest, GivesAnItemToExactlyAsManyPeopleAsTheOverlapSays) {
  open_queue(1, {.overlap = 2});
  const UserId a = person("a"), b = person("b"), c = person("c");
  const LeasedItem first = take(a), second = take(b);
  EXPECT_EQ(first.response, second.response);
  EXPECT_NE(first.item, second.item);
  EXPECT_EQ(claim(c).why, "empty");
  submit(a, first);
  EXPECT_EQ(claim(c).why, "empty");
  EXPECT_EQ(judgments()[0].state, JudgmentState::kPending);
  submit(b, second);
  EXPECT_EQ(claim(c).why, "empty");
  EXPECT_EQ(judgments()[0].label, kNegative);
  EXPECT_TRUE(judgments()[0].validated);
  EXPECT_THAT(judgments()[0].raw, HasSubstr("user " + std::to_string(a.value)));
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueTest, GivesTheItemNearestToCompletionFirst) {
  open_queue(5, {.overlap = 2});
  const UserId a = person("a"), b = person("b");
  const LeasedItem item = take(a);
  submit(a, item);
  EXPECT_EQ(take(b).response, item.response);
}

TEST_F(QueueTest, GivesTheLiveLeaseAgainUntilItHasADraft) {
  open_queue(3);
  const UserId a = person("a");
  const LeasedItem first = take(a);
  const LeasedItem again = take(a);
  EXPECT_EQ(again.item, first.item);
  EXPECT_NE(again.token, first.token);
  draft(a, first, "half a sent");
  EXPECT_NE(take(a).item, first.item);
  EXPECT_EQ(claim(a, first.item).item->draft->text, "half a sent");
  EXPECT_EQ(submit(a, first).state, "counted");  // the first claim's secret is still good
}

TEST_F(QueueTest, HoldsTwoLiveLeasesOfOnePersonAtMost) {
  open_queue(4);
  const UserId a = person("a");
  for (int i = 0; i < 2; ++i) draft(a, take(a), "unfinished");
  EXPECT_EQ(claim(a).why, "cap");
}

TEST_F(QueueTest, HidesALeaseFromEverybodyElse) {
  open_queue(1);
  const UserId a = person("a"), b = person("b");
  const LeasedItem item = take(a);
  error_of(ErrorCode::kNotFound, [&] { submit(b, item); });
  error_of(ErrorCode::kNotFound, [&] { skip(b, item); });
  error_of(ErrorCode::kNotFound, [&] { claim(b, item.item); });
  LeasedItem wrong = item;
  wrong.token = std::string(32, '0');
  error_of(ErrorCode::kNotFound, [&] { submit(a, wrong); });
}

TEST_F(QueueTest, KeepsLateWorkAsSurplusAndNeverCountsIt) {
  open_queue(1);
  const UserId a = person("a"), b = person("b");
  const LeasedItem late = take(a);
  now_ += kLeaseMs;
  const LeasedItem item = take(b);
  EXPECT_EQ(submit(a, late, kPositive, "").state, "surplus");
  EXPECT_EQ(submit(b, item).state, "counted");
  EXPECT_EQ(submit(a, late, kPositive, "").state, "surplus");  // the same again
  EXPECT_EQ(judgments()[0].label, kNegative);
  EXPECT_EQ(counts().surplus, 1);
  EXPECT_EQ(counts().submitted, 1);
  EXPECT_EQ(read([&](Reader& reader) { return list_own_items(reader, a, QueueView::kSubmitted, {}, 10); }).size(), 1u);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueTest, IsLateAtTheDeadlineWhetherSweptOrNot) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem item = take(a);
  now_ += kLeaseMs - 1;
  const std::int64_t left = write([&](Writer& writer) { return renew_lease(writer, lease(a, item)); });
  EXPECT_EQ(left, kLeaseMs);
  now_ += kLeaseMs;
  error_of(ErrorCode::kConflict, [&] { write([&](Writer& writer) { renew_lease(writer, lease(a, item)); }); });
  EXPECT_EQ(submit(a, item).state, "surplus");
}

TEST_F(QueueTest, RenewsNoLeaseBeyondItsLongestLife) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem item = take(a);
  std::int64_t left = kLeaseMs;
  for (int i = 0; i < 12 && left > 0; ++i) {
    now_ += kLeaseMs / 2;
    left = draft(a, item, "and on").left_ms;
  }
  EXPECT_EQ(left, 0);
  EXPECT_EQ(claim(person("b")).item->response, item.response);
}

TEST_F(QueueTest, KeepsTheDraftOfALeaseThatRanOutAndGivesItBack) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem item = take(a);
  now_ += kLeaseMs;
  EXPECT_EQ(draft(a, item, "typed over lunch").left_ms, 0);
  const LeasedItem again = take(a);
  EXPECT_EQ(again.item, item.item);
  EXPECT_EQ(again.draft->text, "typed over lunch");
  EXPECT_EQ(submit(a, again).state, "counted");
}

TEST_F(QueueTest, StartsASecondTryFromWhatCameTooLate) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem late = take(a);
  now_ += kLeaseMs;
  submit(a, late, kNegative, "The date is wrong.");
  const LeasedItem again = take(a);
  EXPECT_EQ(again.draft->text, "The date is wrong.");
  EXPECT_EQ(submit(a, again, kNegative, "The date is wrong.").state, "counted");
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueTest, AnswersARepeatedSubmissionAlikeAndRefusesAnotherText) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem item = take(a);
  const SubmitResult first = submit(a, item);
  const SubmitResult again = submit(a, item);
  EXPECT_EQ(first.state, "counted");
  EXPECT_EQ(again.state, first.state);
  EXPECT_EQ(again.submitted_at, first.submitted_at);
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { submit(a, item, kNegative, "No, it is too short."); }),
              HasSubstr("submitted already"));
}

TEST_F(QueueTest, NeverGivesASkippedItemBackToWhoSkippedIt) {
  open_queue(1);
  const UserId a = person("a"), b = person("b");
  const LeasedItem item = take(a);
  skip(a, item);
  skip(a, item);  // again is harmless
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(claim(a).why, "empty");
    now_ += kLongestMs;
  }
  error_of(ErrorCode::kConflict, [&] { submit(a, item); });
  EXPECT_EQ(take(b).response, item.response);
}

TEST_F(QueueTest, SendsAnItemThatEveryoneSkippedToReview) {
  open_queue(1);
  const UserId a = person("a"), b = person("b");
  skip(a, take(a));
  EXPECT_EQ(counts().needs_review, 0);
  skip(b, take(b));
  EXPECT_EQ(counts().needs_review, 1);
  const auto waiting = read([&](Reader& reader) { return list_review(reader, round_, TaskId{}, 10); });
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].work[0].skip_reason, "not my field");
  write([&](Writer& writer) {
    settle_review(writer, waiting[0].item, {kNegative, "It answers another question.", {}}, "operator");
  });
  EXPECT_EQ(judgments()[0].text, "It answers another question.");
  EXPECT_EQ(counts().needs_review, 0);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(QueueTest, ReleasesAnItemAndGivesItBackOnlyAfterAMinute) {
  open_queue(1);
  const UserId a = person("a");
  const LeasedItem item = take(a);
  draft(a, item, "hm");
  release(a, item);
  EXPECT_EQ(claim(a).why, "cooling_down");
  EXPECT_EQ(claim(a, item.item).why, "cooling_down");
  now_ += kCoolDownMs;
  EXPECT_EQ(take(a).draft->text, "hm");
}

TEST_F(QueueTest, PrefersItemsNeverMetToThoseGivenBack) {
  open_queue(2);
  const UserId a = person("a");
  const LeasedItem first = take(a);
  release(a, first);
  now_ += kCoolDownMs;
  EXPECT_NE(take(a).response, first.response);
}

TEST_F(QueueTest, GivesTaggedItemsToPeopleWithOneOfTheTags) {
  open_queue(1, {.tags = {"law", "tax"}});
  EXPECT_EQ(claim(person("plain")).why, "empty");
  EXPECT_EQ(claim(person("cook", R"(["food"])")).why, "empty");
  EXPECT_TRUE(claim(person("lawyer", R"(["food", "law"])")).item);
}

TEST_F(QueueTest, ShowsWhatAMachineSaidWithItsSourceWhereThatIsWanted) {
  open_queue(1, {.suggest = true});
  write([&](Writer& writer) {
    const AnnotatorId editor = ensure_annotator(writer, {"editor", "v1", "rule", Json::object()});
    request_judgments(writer, round_, editor);
    const JudgmentId judgment = list_pending_judgments(writer, round_, editor).at(0).id;
    settle_judgment(writer, judgment, {kNegative, "Two sentences are enough.", "", true});
  });
  const LeasedItem item = take(person("a"));
  ASSERT_TRUE(item.suggestion);
  EXPECT_EQ(item.suggestion->source, "editor");
  EXPECT_EQ(item.suggestion->text, "Two sentences are enough.");
}

TEST_F(QueueTest, CountsAPersonsOwnProgress) {
  open_queue(4);
  const UserId a = person("a");
  submit(a, take(a));
  skip(a, take(a));
  draft(a, take(a), "begun");
  const OwnProgress progress = read([&](Reader& reader) { return own_progress(reader, a); });
  EXPECT_EQ(progress.submitted, 1);
  EXPECT_EQ(progress.skipped, 1);
  EXPECT_EQ(progress.draft, 1);
  EXPECT_EQ(progress.available, 1);
  EXPECT_EQ(progress.total, 4);
  EXPECT_EQ(progress.done, 1);
  const auto everybody = read([&](Reader& reader) { return list_queue_people(reader, round_); });
  ASSERT_EQ(everybody.size(), 1u);
  EXPECT_EQ(everybody[0].submitted, 1);
  EXPECT_EQ(everybody[0].median_seconds, 4.5);
}

}  // namespace
}  // namespace cutd
