#include "store/queue.h"

#include <algorithm>

#include "core/entropy.h"
#include "store/judgments.h"
#include "store/queue_rows.h"
#include "store/queue_rules.h"
#include "store/queue_settle.h"

namespace cutd {
namespace {

using queue_detail::queue_of;
using queue_detail::select_queue;

struct WaitingOwner {
  std::optional<RoundId> round;
  std::optional<EvaluationId> evaluation;
  AnnotatorId annotator;
};

// Pending judgments of people that no open task stands for.
constexpr const char* kUnqueued =
    "FROM judgment JOIN annotator ON annotator.id = judgment.annotator_id AND annotator.kind = 'human' "
    "WHERE judgment.state = 'pending' AND NOT EXISTS ("
    "  SELECT 1 FROM task WHERE task.judgment_id = judgment.id AND task.state IN ('open', 'review'))";

std::vector<WaitingOwner> waiting_owners(Reader& reader) {
  return reader.database().all(
      std::string("SELECT DISTINCT unit.round_id, unit.evaluation_id, waiting.annotator_id FROM (SELECT "
                  "judgment.response_id, judgment.annotator_id ") +
          kUnqueued +
          ") AS waiting JOIN response ON response.id = waiting.response_id "
          "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id ORDER BY 1, 2, 3",
      [](Statement& row) {
        return WaitingOwner{
            store_rows::optional_id<RoundId>(row, 0), store_rows::optional_id<EvaluationId>(row, 1), {row.integer(2)}};
      });
}

std::optional<Queue> queue_at(Reader& reader, const WaitingOwner& owner) {
  return reader.database().first(select_queue("WHERE round_id IS ? AND evaluation_id IS ? AND annotator_id = ?"),
                                 queue_of, owner.round, owner.evaluation, owner.annotator);
}

Queue open_queue(Writer& writer, const WaitingOwner& owner, const QueueSettings& settings, std::int64_t now_ms) {
  std::optional<std::int64_t> closes;
  if (settings.deadline_ms > 0 && owner.round) closes = now_ms + settings.deadline_ms;
  if (const auto known = queue_at(writer, owner)) {
    // Asked for again after a close: whoever has time judges on.
    writer.database().run("UPDATE queue SET state = 'open', closes_ms = ? WHERE id = ? AND state <> 'open'", closes,
                          known->id);
    return *queue_at(writer, owner);
  }
  writer.database().run(
      "INSERT INTO queue (round_id, evaluation_id, annotator_id, state, overlap, agreement, lease_ms, "
      "longest_lease_ms, gold_share, suggest, tags, guideline, closes_ms, created_at) "
      "VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      owner.round, owner.evaluation, owner.annotator, settings.overlap, settings.agreement, settings.lease_ms,
      settings.longest_lease_ms, settings.gold_share, settings.suggest, store_rows::text_of(Json(settings.tags)),
      settings.guideline, closes, writer.now());
  return *queue_at(writer, owner);
}

std::int64_t add_tasks(Writer& writer, const WaitingOwner& owner, const Queue& queue) {
  Database& database = writer.database();
  std::int64_t added = database.run(
      "UPDATE task SET state = 'open', review = NULL WHERE queue_id = ? AND state IN ('closed', 'settled') "
      "AND done < need AND (SELECT state FROM judgment WHERE judgment.id = task.judgment_id) = 'pending'",
      queue.id);
  // All places are taken already, so asking again is for an operator.
  added += database.run(
      "UPDATE task SET state = 'review', review = 'its judgment was asked for again' WHERE queue_id = ? "
      "AND state = 'settled' AND done >= need "
      "AND (SELECT state FROM judgment WHERE judgment.id = task.judgment_id) = 'pending'",
      queue.id);
  const auto judgments = database.all(
      "SELECT judgment.id FROM judgment JOIN response ON response.id = judgment.response_id "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "WHERE judgment.annotator_id = ? AND judgment.state = 'pending' AND unit.round_id IS ? "
      "AND unit.evaluation_id IS ? AND NOT EXISTS (SELECT 1 FROM task WHERE task.judgment_id = judgment.id) "
      "ORDER BY judgment.id",
      [](Statement& row) { return JudgmentId{row.integer(0)}; }, owner.annotator, owner.round, owner.evaluation);
  for (const JudgmentId judgment : judgments) {
    database.run(
        "INSERT INTO task (item, annotator_id, queue_id, judgment_id, need, state, place) "
        "VALUES (?, ?, ?, ?, ?, 'open', ?)",
        random_hex(16), owner.annotator, queue.id, judgment, queue.settings.overlap, random_integer());
    ++added;
  }
  return added;
}

std::int64_t count_live(Reader& reader, QueueId queue) {
  return reader.database().integer("SELECT live FROM queue WHERE id = ?", queue);
}

// What is counted settles the rest.
void end_queue(Writer& writer, QueueId queue) {
  Database& database = writer.database();
  database.run(
      "UPDATE lease SET state = 'expired', updated_at = ? WHERE state = 'live' AND task_id IN ("
      "  SELECT id FROM task WHERE queue_id = ? AND live > 0)",
      writer.now(), queue);
  const auto tasks = database.all(
      "SELECT id FROM task WHERE queue_id = ? AND state IN ('open', 'review') ORDER BY id",
      [](Statement& row) { return TaskId{row.integer(0)}; }, queue);
  for (const TaskId task : tasks) queue_detail::settle_at_close(writer, task);
  database.run("UPDATE queue SET state = 'closed', closes_ms = NULL WHERE id = ?", queue);
}

// Queues whose round or evaluation needs nothing more from people.
std::vector<QueueId> queues_that_are_over(Reader& reader) {
  return reader.database().all(
      "SELECT queue.id FROM queue LEFT JOIN round ON round.id = queue.round_id "
      "LEFT JOIN evaluation ON evaluation.id = queue.evaluation_id WHERE queue.state <> 'closed' AND ("
      "  round.phase IN ('training', 'evaluating', 'completed', 'cancelled') "
      "  OR round.resume_phase IN ('training', 'evaluating') OR evaluation.state = 'done')",
      [](Statement& row) { return QueueId{row.integer(0)}; });
}

}  // namespace

void begin_queues(Writer& writer, const BootTime& now) {
  Database& database = writer.database();
  const auto [boot, seen] = database
                                .first("SELECT boot_id, seen_ms FROM queue_clock",
                                       [](Statement& row) { return std::pair(row.text(0), row.integer(1)); })
                                .value();
  const bool same_boot = boot == now.boot_id;
  const auto moved = [&, seen_ms = seen](std::int64_t deadline, std::int64_t grace) {
    return deadline_after_restart(deadline, seen_ms, now.ms, same_boot, std::min(grace, kGraceAfterRestartMs));
  };
  struct Held {
    LeaseId id;
    std::int64_t deadline, longest, again, lease_ms;
  };
  const auto leases =
      database.all(std::string("SELECT lease.id, deadline_ms, longest_ms, again_ms, shown.lease_ms FROM lease "
                               "JOIN task ON task.id = lease.task_id ") +
                       queue_detail::kShownQueue + "WHERE lease.state = 'live' OR again_ms > 0",
                   [](Statement& row) {
                     return Held{{row.integer(0)}, row.integer(1), row.integer(2), row.integer(3), row.integer(4)};
                   });
  for (const Held& held : leases) {
    const std::int64_t ends = moved(held.deadline, held.lease_ms);
    database.run("UPDATE lease SET deadline_ms = ?, longest_ms = ?, again_ms = ? WHERE id = ?", ends,
                 std::max(ends, moved(held.longest, 0)), same_boot ? held.again : 0, held.id);
  }
  const auto queues = database.all("SELECT id, closes_ms FROM queue WHERE closes_ms IS NOT NULL",
                                   [](Statement& row) { return std::pair(row.integer(0), row.integer(1)); });
  for (const auto& [id, closes] : queues)
    database.run("UPDATE queue SET closes_ms = ? WHERE id = ?", moved(closes, kGraceAfterRestartMs), id);
  database.run("UPDATE queue_clock SET boot_id = ?, seen_ms = ?", now.boot_id, now.ms);
}

bool queues_want_filling(Reader& reader) {
  return reader.database().integer(std::string("SELECT EXISTS (SELECT 1 ") + kUnqueued + ")") != 0;
}

std::vector<FilledQueue> fill_queues(Writer& writer, const std::function<QueueSettings(const Annotator&)>& settings_of,
                                     std::int64_t now_ms) {
  std::vector<FilledQueue> filled;
  for (const WaitingOwner& owner : waiting_owners(writer)) {
    const QueueSettings settings = settings_of(find_annotator(writer, owner.annotator).value());
    const Queue queue = open_queue(writer, owner, settings, now_ms);
    const std::int64_t added = add_tasks(writer, owner, queue);
    if (added > 0) filled.push_back({queue, added});
  }
  return filled;
}

std::int64_t add_gold(Writer& writer, AnnotatorId annotator, const std::vector<GoldItem>& items) {
  Database& database = writer.database();
  std::int64_t added = 0;
  for (const GoldItem& gold : items) {
    std::optional<std::string> suggestion;
    if (!gold.suggestion.is_null()) suggestion = store_rows::text_of(gold.suggestion);
    const std::int64_t changed = database.run(
        "INSERT INTO gold (annotator_id, instruction, input, response, label, suggestion) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        annotator, gold.instruction, gold.input, gold.response, name_of(gold.label), suggestion);
    if (changed == 0) continue;
    const std::int64_t id = database.last_row_id();
    database.run(
        "INSERT INTO task (item, annotator_id, gold_id, need, state, place) VALUES (?, ?, ?, 1000000000, 'open', ?)",
        random_hex(16), annotator, id, random_integer());
    ++added;
  }
  return added;
}

std::optional<Queue> find_queue(Reader& reader, QueueId id) {
  return reader.database().first(select_queue("WHERE id = ?"), queue_of, id);
}

std::optional<Queue> find_queue(Reader& reader, UnitOwner owner, AnnotatorId annotator) {
  const store_rows::Owner columns(owner);
  return queue_at(reader, {columns.round, columns.evaluation, annotator});
}

std::vector<Queue> list_queues(Reader& reader, RoundId round) {
  return reader.database().all(select_queue("WHERE round_id = ? ORDER BY id"), queue_of, round);
}

std::vector<Queue> list_queues_at_work(Reader& reader) {
  return reader.database().all(select_queue("WHERE state <> 'closed' ORDER BY id"), queue_of);
}

void close_queue(Writer& writer, QueueId id, std::int64_t now_ms) {
  const std::optional<Queue> queue = find_queue(writer, id);
  if (!queue) throw Error(ErrorCode::kNotFound, "there is no queue " + std::to_string(id.value));
  if (queue->evaluation) {
    throw Error(ErrorCode::kConflict,
                "an evaluation is a score over every one of its items: it cannot be closed early; "
                "`cutd run cancel` ends its run");
  }
  if (queue->state != "open") return;
  queue_detail::expire_overdue(writer, now_ms, 1'000'000);
  writer.database().run("UPDATE queue SET state = 'closing', closes_ms = ? WHERE id = ?",
                        now_ms + queue->settings.lease_ms, id);
  if (count_live(writer, id) == 0) end_queue(writer, id);
}

bool sweep_queues(Writer& writer, std::int64_t now_ms) {
  queue_detail::see_clock(writer, now_ms);
  bool changed = queue_detail::expire_overdue(writer, now_ms) > 0;
  queue_detail::review_where_nobody_is_left(writer);  // tags and roles change too
  for (const QueueId id : queues_that_are_over(writer)) {
    end_queue(writer, id);
    changed = true;
  }
  const auto due = writer.database().all(
      "SELECT id, state FROM queue WHERE closes_ms <= ? AND state <> 'closed' OR state = 'closing'",
      [](Statement& row) { return std::pair(QueueId{row.integer(0)}, row.text(1)); }, now_ms);
  for (const auto& [id, state] : due) {
    if (state == "open" && !find_queue(writer, id)->evaluation) {
      close_queue(writer, id, now_ms);
      changed = true;
      continue;
    }
    const bool over = writer.database().integer("SELECT closes_ms <= ? FROM queue WHERE id = ?", now_ms, id) != 0;
    if (state == "closing" && (over || count_live(writer, id) == 0)) {
      end_queue(writer, id);
      changed = true;
    }
  }
  return changed;
}

}  // namespace cutd
