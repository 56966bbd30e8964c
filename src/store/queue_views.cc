#include "store/queue_views.h"

#include <algorithm>
#include <map>

#include "store/queue_rows.h"

namespace cutd {
namespace {

using queue_detail::queue_of;
using queue_detail::select_queue;

// Text that was begun and not submitted, whether the lease still runs or not.
constexpr const char* kIsDraft = "(lease.state IN ('live', 'expired', 'released') AND lease.draft_text IS NOT NULL)";

const char* condition_of(QueueView view) {
  switch (view) {
    case QueueView::kPending: return "lease.state = 'live' AND lease.draft_text IS NULL";
    case QueueView::kDraft: return kIsDraft;
    case QueueView::kSubmitted: return "lease.state IN ('done', 'surplus')";
    default: return "lease.state = 'skipped'";
  }
}

std::string select_items(const char* condition) {
  // SQL of fragments
  return std::string(
             "SELECT lease.item, lease.state, shown.guideline, lease.draft_label, lease.draft_text, "
             "lease.draft_at, lease.label, lease.text, lease.seconds_spent, lease.submitted_at, "
             "lease.skip_reason, lease.updated_at, lease.id, ") +
         queue_detail::kItemColumns + " FROM lease JOIN task ON task.id = lease.task_id " + queue_detail::kShownQueue +
         queue_detail::kItemJoins + "WHERE lease.user_id = ? AND " + condition;
}

QueueView view_of(const std::string& state, bool has_draft) {
  if (state == "done" || state == "surplus") return QueueView::kSubmitted;
  if (state == "skipped") return QueueView::kSkipped;
  return has_draft ? QueueView::kDraft : QueueView::kPending;
}

OwnItem own_item_of(Statement& row) {
  OwnItem item;
  item.item = row.text(0);
  item.guideline = row.text(2);
  item.view = view_of(row.text(1), !row.is_null(4));
  if (item.view == QueueView::kDraft) {
    item.draft = DraftText{std::nullopt, row.text(4), row.integer(5)};
    if (!row.is_null(3)) item.draft->label = store_rows::named<JudgmentLabel>(row, 3);
  }
  if (item.view == QueueView::kSubmitted)
    item.submitted = Submission{store_rows::named<JudgmentLabel>(row, 6), row.text(7), row.optional_real(8)};
  item.submitted_at = row.integer(9);
  item.skip_reason = row.text(10);
  item.updated_at = row.integer(11);
  item.number = row.integer(12);
  item.instruction = row.text(13);
  item.input = row.text(14);
  item.response = row.text(15);
  return item;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

void add_person_row(QueuePerson& person, Statement& row) {
  const std::string state = row.text(3);
  const std::int64_t count = row.integer(5);
  if (state == "done") person.submitted += count;
  else if (state == "surplus") person.surplus += count;
  else if (state == "skipped") person.skipped += count;
  else if (row.integer(4) != 0) person.draft += count;
  else if (state == "live") person.leased += count;
  person.last_at = std::max(person.last_at, row.integer(6));
}

// Queues at work in which the person ?1 may work, by their tags.
constexpr const char* kOwnQueues =
    "own_queue AS (SELECT * FROM queue WHERE queue.state <> 'closed' AND (json_array_length(queue.tags) = 0 OR EXISTS ("
    "  SELECT 1 FROM user, json_each(user.tags) AS own JOIN json_each(queue.tags) AS wanted "
    "  ON wanted.value = own.value WHERE user.id = ?1))) ";

// What this person has met of the gold items that can come to them. `all` less `met` is to come; `old` of those ran out
// or were given back, and come again also when nothing new is left.
struct OwnGold {
  std::int64_t all = 0;
  std::int64_t met = 0;
  std::int64_t done = 0;
  std::int64_t old = 0;
};

OwnGold count_own_gold(Database& database, UserId user) {
  return database
      .first(
          std::string("WITH ") + kOwnQueues +
              "SELECT count(*), count(*) FILTER (WHERE met), count(*) FILTER (WHERE done), "
              "count(*) FILTER (WHERE old AND NOT met) FROM (SELECT "
              "EXISTS (SELECT 1 FROM lease WHERE lease.task_id = task.id AND lease.user_id = ?1 "
              "  AND lease.state IN ('live', 'done', 'skipped')) AS met, "
              "EXISTS (SELECT 1 FROM lease WHERE lease.task_id = task.id AND lease.user_id = ?1 "
              "  AND lease.state = 'done') AS done, "
              "EXISTS (SELECT 1 FROM lease WHERE lease.task_id = task.id AND lease.user_id = ?1) AS old "
              "FROM task WHERE task.gold_id IS NOT NULL AND task.annotator_id IN ("
              "  SELECT annotator_id FROM own_queue WHERE gold_share > 0 AND state = 'open'))",
          [](Statement& row) {
            return OwnGold{row.integer(0), row.integer(1), row.integer(2), row.integer(3)};
          },
          user)
      .value();
}

// What there is, less what this person has met of it.
void add_counts(Database& database, UserId user, OwnProgress& progress) {
  std::int64_t real = 0;
  database.first(
      std::string("WITH ") + kOwnQueues +
          "SELECT coalesce(sum(needed), 0), coalesce(sum(done), 0), coalesce(sum(with_room) FILTER (WHERE state = "
          "'open'), 0) - (SELECT count(*) FROM lease CROSS JOIN task ON task.id = lease.task_id WHERE lease.user_id = "
          "?1 AND lease.state IN ('live', 'done', 'skipped') AND task.state = 'open' AND task.need > task.done + "
          "task.live AND task.queue_id IN (SELECT id FROM own_queue WHERE state = 'open')) FROM own_queue",
      [&](Statement& row) {
        progress.total = row.integer(0);
        progress.done = row.integer(1);
        real = row.integer(2);
        return 0;
      },
      user);
  const OwnGold gold = count_own_gold(database, user);
  // Gold comes only beside others, so without them there is none to come.
  progress.available = real + gold.old > 0 ? real + gold.all - gold.met : 0;
  progress.total += gold.all;
  progress.done += gold.done;
}

}  // namespace

std::vector<OwnItem> list_own_items(Reader& reader, UserId user, QueueView view, const ItemPlace& before,
                                    std::int64_t limit) {
  // SQL of fragments
  return reader.database().all(
      select_items(condition_of(view)) +
          " AND (lease.updated_at, lease.id) < (?, ?) ORDER BY lease.updated_at DESC, lease.id DESC LIMIT ?",
      own_item_of, user, before.updated_at, before.number, limit);
}

std::optional<OwnItem> find_own_item(Reader& reader, UserId user, const std::string& item) {
  return reader.database().first(select_items("lease.item = ?"), own_item_of, user, item);
}

OwnProgress own_progress(Reader& reader, UserId user) {
  Database& database = reader.database();
  OwnProgress progress;
  // SQL of fragments
  database.first(
      std::string("SELECT count(*) FILTER (WHERE ") + condition_of(QueueView::kPending) + "), count(*) FILTER (WHERE " +
          condition_of(QueueView::kDraft) + "), count(*) FILTER (WHERE " + condition_of(QueueView::kSubmitted) +
          "), count(*) FILTER (WHERE " + condition_of(QueueView::kSkipped) + ") FROM lease WHERE user_id = ?",
      [&](Statement& row) {
        progress.pending = row.integer(0);
        progress.draft = row.integer(1);
        progress.submitted = row.integer(2);
        progress.skipped = row.integer(3);
        return 0;
      },
      user);
  progress.blocked =
      database.integer("SELECT EXISTS (SELECT 1 FROM queue_person WHERE user_id = ? AND blocked_at IS NOT NULL)",
                       user) != 0;
  add_counts(database, user, progress);
  if (progress.blocked) progress.available = 0;
  return progress;
}

QueueCounts count_queue(Reader& reader, QueueId queue, std::int64_t now_ms) {
  QueueCounts counts =
      reader.database()
          .first(
              "SELECT with_room, live, done, needed, surplus, in_review FROM queue WHERE id = ?",
              [](Statement& row) {
                return QueueCounts{row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4), 0,
                                   row.integer(5)};
              },
              queue)
          .value();
  counts.overdue = reader.database().integer(
      "SELECT count(*) FROM lease INDEXED BY lease_live CROSS JOIN task ON task.id = lease.task_id "
      "WHERE lease.state = 'live' AND lease.deadline_ms <= ? AND task.queue_id = ?",
      now_ms, queue);
  return counts;
}

std::vector<Queue> list_recent_queues(Reader& reader, std::int64_t closed) {
  std::vector<Queue> queues = reader.database().all(select_queue("WHERE state <> 'closed' ORDER BY id"), queue_of);
  for (Queue& queue :
       reader.database().all(select_queue("WHERE state = 'closed' ORDER BY id DESC LIMIT ?"), queue_of, closed))
    queues.push_back(std::move(queue));
  return queues;
}

std::vector<std::vector<JudgmentLabel>> list_votes(Reader& reader, QueueId queue) {
  std::map<std::int64_t, std::vector<JudgmentLabel>> votes;
  reader.database().all(
      "SELECT lease.task_id, lease.label FROM task JOIN lease ON lease.task_id = task.id AND lease.state = 'done' "
      "WHERE task.queue_id = ? AND task.done >= 2",
      [&](Statement& row) {
        votes[row.integer(0)].push_back(store_rows::named<JudgmentLabel>(row, 1));
        return 0;
      },
      queue);
  std::vector<std::vector<JudgmentLabel>> list;
  list.reserve(votes.size());
  for (auto& [task, labels] : votes) list.push_back(std::move(labels));
  return list;
}

std::vector<QueuePerson> list_queue_people(Reader& reader, std::optional<RoundId> round) {
  Database& database = reader.database();
  const std::string of_queues =
      "WHERE task.queue_id IN (SELECT id FROM queue WHERE CASE WHEN ?1 IS NULL THEN state <> 'closed' "
      "ELSE round_id = ?1 END) AND lease.user_id IS NOT NULL ";
  std::map<std::int64_t, QueuePerson> people;
  // SQL of fragments
  database.all(
      "SELECT user.id, user.name, person.blocked_at IS NOT NULL, lease.state, lease.draft_text IS NOT NULL, count(*), "
      "max(lease.updated_at), coalesce(person.gold_seen, 0), coalesce(person.gold_right, 0) FROM task "
      "JOIN lease ON lease.task_id = task.id JOIN user ON user.id = lease.user_id "
      "LEFT JOIN queue_person AS person ON person.user_id = user.id " +
          of_queues + "GROUP BY user.id, lease.state, lease.draft_text IS NOT NULL",
      [&](Statement& row) {
        QueuePerson& person = people[row.integer(0)];
        person.user = {row.integer(0)};
        person.name = row.text(1);
        person.blocked = row.integer(2) != 0;
        person.gold_seen = row.integer(7);
        person.gold_right = row.integer(8);
        add_person_row(person, row);
        return 0;
      },
      round);
  std::map<std::int64_t, std::vector<double>> seconds;
  // SQL of fragments
  database.all(
      "SELECT lease.user_id, lease.seconds_spent FROM task JOIN lease ON lease.task_id = task.id " + of_queues +
          "AND lease.seconds_spent IS NOT NULL",
      [&](Statement& row) {
        seconds[row.integer(0)].push_back(row.real(1));
        return 0;
      },
      round);
  std::vector<QueuePerson> list;
  for (auto& [id, person] : people) {
    if (!seconds[id].empty()) person.median_seconds = median(seconds[id]);
    list.push_back(std::move(person));
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

}  // namespace cutd
