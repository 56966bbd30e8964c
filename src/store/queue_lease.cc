#include "store/queue_lease.h"

#include <algorithm>

#include "core/hash.h"
#include "store/queue_rows.h"
#include "store/queue_rules.h"
#include "store/queue_settle.h"

namespace cutd {
namespace {

struct LeaseRow {
  LeaseId id;
  TaskId task;
  std::string item;
  std::string state;
  std::int64_t deadline_ms = 0;
  std::int64_t longest_ms = 0;
  std::int64_t lease_ms = 0;
  std::optional<JudgmentLabel> gold;  // the right answer of a gold item
  std::string label;                  // submitted
  std::string text;
  std::int64_t submitted_at = 0;
};

// Another person's lease and one that never was are the same to who asks.
LeaseRow require_lease(Writer& writer, const LeaseRef& lease) {
  queue_detail::see_clock(writer, lease.now_ms);
  queue_detail::expire_overdue(writer, lease.now_ms);
  auto row = writer.database().first(
      std::string("SELECT lease.id, lease.task_id, lease.item, lease.state, lease.deadline_ms, lease.longest_ms, ") +
          "shown.lease_ms, gold.label, lease.label, lease.text, lease.submitted_at FROM lease_token "
          "JOIN lease ON lease.id = lease_token.lease_id JOIN task ON task.id = lease.task_id " +
          queue_detail::kShownQueue +
          "LEFT JOIN gold ON gold.id = task.gold_id WHERE lease_token.hash = ? AND lease.user_id = ?",
      [](Statement& found) {
        LeaseRow read{{found.integer(0)}, {found.integer(1)}, found.text(2),    found.text(3),
                      found.integer(4),   found.integer(5),   found.integer(6), {},
                      found.text(8),      found.text(9),      found.integer(10)};
        if (!found.is_null(7)) read.gold = store_rows::named<JudgmentLabel>(found, 7);
        return read;
      },
      sha256_hex(lease.token), lease.user);
  if (!row) throw Error(ErrorCode::kNotFound, "you hold no such lease");
  // The sweep is bounded: what is overdue is over, whether it got that far or not.
  if (row->state == "live" && row->deadline_ms <= lease.now_ms) {
    writer.database().run("UPDATE lease SET state = 'expired', updated_at = ? WHERE id = ?", writer.now(), row->id);
    row->state = "expired";
  }
  return *row;
}

std::int64_t renew(Writer& writer, const LeaseRow& row, std::int64_t now_ms) {
  const std::int64_t deadline = lease_deadline(now_ms, row.lease_ms, row.longest_ms);
  writer.database().run("UPDATE lease SET deadline_ms = ? WHERE id = ?", std::max(deadline, row.deadline_ms), row.id);
  return std::max(deadline, row.deadline_ms) - now_ms;
}

SubmitResult result_of(const LeaseRow& row) {
  return {row.item, row.state == "done" ? "counted" : "surplus", row.submitted_at};
}

// Counts a gold answer; blocks the person when they turn out too careless.
void note_gold(Writer& writer, UserId user, bool right) {
  Database& database = writer.database();
  database.run(
      "INSERT INTO queue_person (user_id, gold_seen, gold_right) VALUES (?1, 1, ?2) ON CONFLICT (user_id) DO UPDATE "
      "SET "
      "gold_seen = gold_seen + 1, gold_right = gold_right + ?2",
      user, right);
  const auto answers = database.all(
      "SELECT lease.label = gold.label FROM lease JOIN task ON task.id = lease.task_id "
      "JOIN gold ON gold.id = task.gold_id WHERE lease.user_id = ?1 AND lease.state = 'done' "
      "AND lease.id > (SELECT window_from FROM queue_person WHERE user_id = ?1) ORDER BY lease.submitted_at, lease.id",
      [](Statement& row) { return row.integer(0) != 0; }, user);
  if (!too_careless(answers)) return;
  database.run("UPDATE queue_person SET blocked_at = ? WHERE user_id = ? AND blocked_at IS NULL", writer.now(), user);
  queue_detail::take_back_work(writer, user);
}

}  // namespace

std::int64_t renew_lease(Writer& writer, const LeaseRef& lease) {
  const LeaseRow row = require_lease(writer, lease);
  if (row.state != "live") throw Error(ErrorCode::kConflict, "this lease has ended: claim the item again");
  return renew(writer, row, lease.now_ms);
}

SavedDraft save_draft(Writer& writer, const LeaseRef& lease, const DraftText& draft) {
  const LeaseRow row = require_lease(writer, lease);
  if (row.state != "live" && row.state != "expired" && row.state != "released")
    throw Error(ErrorCode::kConflict, "this item is submitted or skipped already");
  std::optional<std::string> label;
  if (draft.label) label = name_of(*draft.label);
  writer.database().run("UPDATE lease SET draft_label = ?, draft_text = ?, draft_at = ?, updated_at = ? WHERE id = ?",
                        label, draft.text, writer.now(), writer.now(), row.id);
  return {writer.now(), row.state == "live" ? renew(writer, row, lease.now_ms) : 0};
}

SubmitResult submit_judgment(Writer& writer, const LeaseRef& lease, const Submission& submission) {
  LeaseRow row = require_lease(writer, lease);
  if (row.state == "skipped") throw Error(ErrorCode::kConflict, "you have skipped this item");
  if (row.state == "done" || row.state == "surplus") {
    if (row.label == name_of(submission.label) && row.text == submission.text) return result_of(row);
    throw Error(ErrorCode::kConflict, "this item is submitted already, with another judgment");
  }
  row.state = row.state == "live" ? "done" : "surplus";
  row.submitted_at = writer.now();
  writer.database().run(
      "UPDATE lease SET state = ?, label = ?, text = ?, seconds_spent = ?, submitted_at = ?, updated_at = ? "
      "WHERE id = ?",
      row.state, name_of(submission.label), submission.text, submission.seconds_spent, row.submitted_at, writer.now(),
      row.id);
  if (row.state != "done") return result_of(row);
  if (row.gold) {
    note_gold(writer, lease.user, *row.gold == submission.label);
  } else {
    const bool complete = writer.database().integer("SELECT done = need FROM task WHERE id = ?", row.task) != 0;
    if (complete) queue_detail::settle_by_votes(writer, row.task);
    else queue_detail::review_if_nobody_is_left(writer, row.task);
  }
  return result_of(row);
}

std::string skip_task(Writer& writer, const LeaseRef& lease, const std::string& reason) {
  const LeaseRow row = require_lease(writer, lease);
  if (row.state == "skipped") return row.item;
  if (row.state != "live") throw Error(ErrorCode::kConflict, "this lease has ended");
  writer.database().run("UPDATE lease SET state = 'skipped', skip_reason = ?, updated_at = ? WHERE id = ?", reason,
                        writer.now(), row.id);
  queue_detail::review_if_nobody_is_left(writer, row.task);
  return row.item;
}

void release_task(Writer& writer, const LeaseRef& lease) {
  const LeaseRow row = require_lease(writer, lease);
  if (row.state == "released" || row.state == "expired") return;
  if (row.state != "live") throw Error(ErrorCode::kConflict, "this item is submitted or skipped already");
  writer.database().run("UPDATE lease SET state = 'released', again_ms = ?, updated_at = ? WHERE id = ?",
                        lease.now_ms + kCoolDownMs, writer.now(), row.id);
}

void unblock_person(Writer& writer, UserId user) {
  const std::int64_t changed = writer.database().run(
      "UPDATE queue_person SET blocked_at = NULL, window_from = (SELECT coalesce(max(id), 0) FROM lease "
      "WHERE lease.user_id = ?1) WHERE user_id = ?1 AND blocked_at IS NOT NULL",
      user);
  if (changed == 0) throw Error(ErrorCode::kNotFound, "user " + std::to_string(user.value) + " is not blocked");
}

}  // namespace cutd
