// What is read of the queue: a person's own items and progress, and what an operator watches.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/queue_lease.h"

namespace cutd {

enum class QueueView { kPending, kDraft, kSubmitted, kSkipped };  // pending: leased, without a draft

struct OwnItem {
  std::string item;
  QueueView view = QueueView::kPending;
  std::string instruction;
  std::string input;
  std::string response;
  std::string guideline;
  std::optional<DraftText> draft;
  std::optional<Submission> submitted;
  std::int64_t submitted_at = 0;
  std::string skip_reason;
  std::int64_t updated_at = 0;
  std::int64_t number = 0;  // of the lease: with updated_at the place in a list
};
// Where a page of a list begins: before this item. The default is the newest.
struct ItemPlace {
  std::int64_t updated_at = INT64_MAX;
  std::int64_t number = INT64_MAX;
};
std::vector<OwnItem> list_own_items(Reader& reader, UserId user, QueueView view, const ItemPlace& before,
                                    std::int64_t limit);  // newest first
std::optional<OwnItem> find_own_item(Reader& reader, UserId user, const std::string& item);

struct OwnProgress {
  // What this person could still be given, and judgments in the queues at work that they may work in. Gold items are in
  // each of them as other items are: no number here moves otherwise for one than for another.
  std::int64_t available = 0;
  std::int64_t pending = 0;
  std::int64_t draft = 0;
  std::int64_t submitted = 0;
  std::int64_t skipped = 0;
  std::int64_t total = 0;  // needed of everybody, gold of this person
  std::int64_t done = 0;
  bool blocked = false;
};
OwnProgress own_progress(Reader& reader, UserId user);

struct QueueCounts {
  std::int64_t open = 0;  // items that could be given out
  std::int64_t leased = 0;
  std::int64_t submitted = 0;  // counted
  std::int64_t needed = 0;
  std::int64_t surplus = 0;
  std::int64_t overdue = 0;
  std::int64_t needs_review = 0;
};
QueueCounts count_queue(Reader& reader, QueueId queue, std::int64_t now_ms);

// At work first, then those that were closed last.
std::vector<Queue> list_recent_queues(Reader& reader, std::int64_t closed);

// The counted labels of each item with at least two: what agreement is measured on.
std::vector<std::vector<JudgmentLabel>> list_votes(Reader& reader, QueueId queue);

struct QueuePerson {
  UserId user;
  std::string name;
  std::int64_t submitted = 0;
  std::int64_t skipped = 0;
  std::int64_t draft = 0;
  std::int64_t leased = 0;
  std::int64_t surplus = 0;
  std::int64_t gold_seen = 0;  // of all queues together
  std::int64_t gold_right = 0;
  bool blocked = false;
  std::optional<double> median_seconds;
  std::int64_t last_at = 0;  // 0: never
};
// Everybody with work in the queues of `round`, or, without one, in the queues at work. By name.
std::vector<QueuePerson> list_queue_people(Reader& reader, std::optional<RoundId> round);

}  // namespace cutd
