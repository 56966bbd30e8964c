#include "core/entropy.h"
#include "core/hash.h"
#include "store/queue_lease.h"
#include "store/queue_rows.h"
#include "store/queue_rules.h"
#include "store/queue_settle.h"

namespace cutd {
namespace {

using queue_detail::kItemColumns;
using queue_detail::kItemJoins;
using queue_detail::kShownQueue;
using queue_detail::queue_of;
using queue_detail::select_queue;

std::optional<Suggestion> gold_suggestion(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const Json value = Json::parse(text);
  return Suggestion{from_name<JudgmentLabel>(value.at("label").get<std::string>()), value.at("text").get<std::string>(),
                    value.at("source").get<std::string>()};
}

// What another annotator that works by itself said about the same response, the latest.
std::optional<Suggestion> machine_suggestion(Reader& reader, LeaseId lease) {
  return reader.database().first(
      "SELECT said.label, said.text, annotator.name FROM lease JOIN task ON task.id = lease.task_id "
      "JOIN judgment AS own ON own.id = task.judgment_id "
      "JOIN judgment AS said ON said.response_id = own.response_id AND said.id <> own.id AND said.validated = 1 "
      "JOIN annotator ON annotator.id = said.annotator_id AND annotator.kind <> 'human' "
      "WHERE lease.id = ? ORDER BY said.settled_at DESC LIMIT 1",
      [](Statement& row) {
        return Suggestion{store_rows::named<JudgmentLabel>(row, 0), row.text(1), row.text(2)};
      },
      lease);
}

// The lease as its holder sees it, with a new secret.
LeasedItem hand_out(Writer& writer, LeaseId lease, std::int64_t now_ms) {
  bool suggest = false;
  LeasedItem item =
      writer.database()
          .first(
              std::string(
                  "SELECT lease.item, lease.deadline_ms, lease.longest_ms, lease.draft_text, lease.draft_label, "
                  "lease.draft_at, gold.suggestion, shown.guideline, shown.suggest, ") +
                  kItemColumns + " FROM lease JOIN task ON task.id = lease.task_id " + kShownQueue + kItemJoins +
                  "WHERE lease.id = ?",
              [&](Statement& row) {
                LeasedItem read;
                read.item = row.text(0);
                read.left_ms = row.integer(1) - now_ms;
                read.longest_left_ms = row.integer(2) - now_ms;
                if (!row.is_null(3)) {
                  read.draft = DraftText{std::nullopt, row.text(3), row.integer(5)};
                  if (!row.is_null(4)) read.draft->label = store_rows::named<JudgmentLabel>(row, 4);
                }
                read.suggestion = gold_suggestion(row.text(6));
                read.guideline = row.text(7);
                suggest = row.integer(8) != 0;
                read.instruction = row.text(9);
                read.input = row.text(10);
                read.response = row.text(11);
                return read;
              },
              lease)
          .value();
  if (!suggest) item.suggestion.reset();
  else if (!item.suggestion) item.suggestion = machine_suggestion(writer, lease);
  item.token = random_hex(16);
  writer.database().run("INSERT INTO lease_token (hash, lease_id) VALUES (?, ?)", sha256_hex(item.token), lease);
  return item;
}

LeaseId new_lease(Writer& writer, const ClaimInput& input, TaskId task, const Queue& queue) {
  const std::int64_t longest = input.now_ms + queue.settings.longest_lease_ms;
  // Work that came too late to be counted is where a second try starts.
  writer.database().run(
      "INSERT INTO lease (item, task_id, user_id, state, deadline_ms, longest_ms, claimed_at, updated_at, draft_label, "
      "draft_text, draft_at) SELECT ?1, ?2, ?3, 'live', ?4, ?5, ?6, ?6, late.label, late.text, late.submitted_at "
      "FROM (SELECT 1) LEFT JOIN (SELECT label, text, submitted_at FROM lease WHERE task_id = ?2 AND user_id = ?3 "
      "  AND state = 'surplus' ORDER BY id DESC LIMIT 1) AS late",
      random_hex(16), task, input.user, lease_deadline(input.now_ms, queue.settings.lease_ms, longest), longest,
      writer.now());
  return {writer.database().last_row_id()};
}

void revive_lease(Writer& writer, const ClaimInput& input, LeaseId lease, const Queue& queue) {
  const std::int64_t longest = input.now_ms + queue.settings.longest_lease_ms;
  writer.database().run(
      "UPDATE lease SET state = 'live', deadline_ms = ?, longest_ms = ?, again_ms = 0, updated_at = ? WHERE id = ?",
      lease_deadline(input.now_ms, queue.settings.lease_ms, longest), longest, writer.now(), lease);
}

// Open queues that this person's tags let them work in, the oldest first. An evaluation's only while a run at work
// wants its score, from these people alone or from a quorum that they are of (round/quorum.h).
std::vector<Queue> queues_for(Reader& reader, UserId user) {
  return reader.database().all(
      select_queue("WHERE state = 'open' AND (json_array_length(tags) = 0 OR EXISTS (SELECT 1 FROM user, "
                   "json_each(user.tags) AS own JOIN json_each(queue.tags) AS wanted ON wanted.value = own.value "
                   "WHERE user.id = ?)) AND (round_id IS NOT NULL OR EXISTS (SELECT 1 FROM run JOIN annotator AS asked "
                   "ON asked.id = json_extract(run.config, '$.annotator') WHERE run.state = 'active' AND (asked.id = "
                   "queue.annotator_id OR EXISTS (SELECT 1 FROM json_each(asked.config, '$.members') AS member WHERE "
                   "json_extract(member.value, '$.annotator') = queue.annotator_id)))) ORDER BY id"),
      queue_of, user);
}

std::optional<TaskId> untouched_task(Reader& reader, QueueId queue, UserId user) {
  return reader.database().first(
      // The index holds just these, in this order.
      "SELECT id FROM task INDEXED BY task_to_give WHERE queue_id = ? AND state = 'open' AND need > done + live "
      "AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.task_id = task.id AND lease.user_id = ?) "
      "ORDER BY need - done - live, place LIMIT 1",
      [](Statement& row) { return TaskId{row.integer(0)}; }, queue, user);
}

// In another order for each person: that two people met the same item early tells nothing.
std::optional<TaskId> untouched_gold(Reader& reader, AnnotatorId annotator, UserId user) {
  return reader.database().first(
      "SELECT id FROM task WHERE annotator_id = ? AND gold_id IS NOT NULL AND NOT EXISTS ("
      "  SELECT 1 FROM lease WHERE lease.task_id = task.id AND lease.user_id = ?) ORDER BY "
      "place % 1000003 * ? % 1000003 LIMIT 1",
      [](Statement& row) { return TaskId{row.integer(0)}; }, annotator, user, user.value * 2 + 1);
}

struct OwnOld {
  LeaseId lease;
  TaskId task;
  std::string state;
  std::int64_t again_ms = 0;
};

// Items that ran out, were given back or came too late, of tasks that still have room: those that may come first.
// Gold items come back as all others do. Looks at the person's such leases alone, however long the queue.
std::vector<OwnOld> own_old_leases(Reader& reader, const Queue& queue, UserId user) {
  return reader.database().all(
      "SELECT lease.id, task.id, lease.state, lease.again_ms FROM lease INDEXED BY lease_given_back "
      "CROSS JOIN task ON task.id = lease.task_id WHERE lease.user_id = ?2 "
      "AND lease.state IN ('expired', 'released', 'surplus') AND task.state = 'open' "
      "AND task.done + task.live < task.need "
      "AND (task.queue_id = ?1 OR task.gold_id IS NOT NULL AND task.annotator_id = ?3) "
      "AND lease.id = (SELECT max(id) FROM lease AS newest WHERE newest.task_id = task.id "
      "  AND newest.user_id = ?2) AND NOT EXISTS ("
      "  SELECT 1 FROM lease AS other WHERE other.task_id = task.id AND other.user_id = ?2 "
      "  AND other.state IN ('live', 'done', 'skipped')) ORDER BY lease.again_ms, task.place LIMIT 1",
      [](Statement& row) {
        return OwnOld{{row.integer(0)}, {row.integer(1)}, row.text(2), row.integer(3)};
      },
      queue.id, user, queue.annotator);
}

LeaseId take_up(Writer& writer, const ClaimInput& input, const OwnOld& old, const Queue& queue) {
  if (old.state == "surplus") return new_lease(writer, input, old.task, queue);
  revive_lease(writer, input, old.lease, queue);
  return old.lease;
}

// One own item by name.
ClaimResult claim_own(Writer& writer, const ClaimInput& input, bool at_cap) {
  struct Own {
    OwnOld old;
    std::optional<QueueId> queue;
    AnnotatorId annotator;
    bool room = false;
  };
  const auto own = writer.database().first(
      "SELECT lease.id, task.id, lease.state, lease.again_ms, task.queue_id, task.annotator_id, "
      "task.state = 'open' AND task.done + task.live < task.need FROM lease JOIN task ON task.id = lease.task_id "
      "WHERE lease.item = ? AND lease.user_id = ?",
      [](Statement& row) {
        return Own{{{row.integer(0)}, {row.integer(1)}, row.text(2), row.integer(3)},
                   store_rows::optional_id<QueueId>(row, 4),
                   {row.integer(5)},
                   row.integer(6) != 0};
      },
      *input.item, input.user);
  if (!own) throw Error(ErrorCode::kNotFound, "you have no such item");
  if (own->old.state == "live") return {hand_out(writer, own->old.lease, input.now_ms), ""};
  if (own->old.state != "expired" && own->old.state != "released")
    throw Error(ErrorCode::kConflict, "this item is submitted or skipped already");
  if (at_cap) return {std::nullopt, "cap"};
  if (own->old.again_ms > input.now_ms) return {std::nullopt, "cooling_down"};
  // A gold item is bound to no queue: any open one of its annotator gives it its times.
  const auto queue = writer.database().first(
      select_queue("WHERE annotator_id = ? AND (?2 IS NULL OR id = ?2) AND state = 'open' ORDER BY id DESC LIMIT 1"),
      queue_of, own->annotator, own->queue);
  if (!own->room || !queue)
    throw Error(ErrorCode::kConflict, "your time on this item ran out and others have completed it; your text is kept");
  revive_lease(writer, input, own->old.lease, *queue);
  return {hand_out(writer, own->old.lease, input.now_ms), ""};
}

ClaimResult claim_next(Writer& writer, const ClaimInput& input) {
  const std::vector<Queue> queues = queues_for(writer, input.user);
  for (const Queue& queue : queues) {
    std::optional<TaskId> task = untouched_task(writer, queue.id, input.user);
    if (!task) continue;
    if (gold_is_due(input.draw, queue.settings.gold_share)) {
      if (const auto gold = untouched_gold(writer, queue.annotator, input.user)) task = gold;
    }
    return {hand_out(writer, new_lease(writer, input, *task, queue), input.now_ms), ""};
  }
  bool cooling = false;
  for (const Queue& queue : queues) {
    for (const OwnOld& old : own_old_leases(writer, queue, input.user)) {
      if (old.again_ms > input.now_ms) cooling = true;
      else return {hand_out(writer, take_up(writer, input, old, queue), input.now_ms), ""};
    }
  }
  if (cooling) return {std::nullopt, "cooling_down"};
  const bool closing = writer.database().integer("SELECT EXISTS (SELECT 1 FROM queue WHERE state = 'closing')") != 0;
  return {std::nullopt, queues.empty() && closing ? "closed" : "empty"};
}

}  // namespace

ClaimResult claim_task(Writer& writer, const ClaimInput& input) {
  Database& database = writer.database();
  queue_detail::see_clock(writer, input.now_ms);
  queue_detail::expire_overdue(writer, input.now_ms);
  const bool blocked =
      database.integer("SELECT EXISTS (SELECT 1 FROM queue_person WHERE user_id = ? AND blocked_at IS NOT NULL)",
                       input.user) != 0;
  if (blocked) return {std::nullopt, "blocked"};
  const auto live = database.all(
      "SELECT id, draft_text IS NOT NULL FROM lease WHERE user_id = ? AND state = 'live' ORDER BY id",
      [](Statement& row) { return std::pair(LeaseId{row.integer(0)}, row.integer(1) != 0); }, input.user);
  const bool at_cap = static_cast<std::int64_t>(live.size()) >= kMostLiveLeases;
  if (input.item) return claim_own(writer, input, at_cap);
  for (const auto& [lease, has_draft] : live) {
    if (!has_draft) return {hand_out(writer, lease, input.now_ms), ""};
  }
  if (at_cap) return {std::nullopt, "cap"};
  return claim_next(writer, input);
}

}  // namespace cutd
