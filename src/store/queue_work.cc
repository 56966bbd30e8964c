#include "store/queue_work.h"

#include <charconv>

#include "core/entropy.h"
#include "store/judgments.h"
#include "store/queue_rows.h"
#include "store/queue_settle.h"

namespace cutd {
namespace {

std::string select_tasks(const std::string& rest) {
  return std::string(
             "SELECT task.id, task.item, coalesce(queue.round_id, 0), judgment.response_id, task.state, "
             "task.need, coalesce(task.review, ''), ") +
         queue_detail::kItemColumns + " FROM task JOIN queue ON queue.id = task.queue_id " + queue_detail::kItemJoins +
         rest;
}

QueueTask task_of(Statement& row) {
  QueueTask task;
  task.id = {row.integer(0)};
  task.item = row.text(1);
  task.round = {row.integer(2)};
  task.response = {row.integer(3)};
  task.state = row.text(4);
  task.need = row.integer(5);
  task.review = row.text(6);
  task.instruction = row.text(7);
  task.input = row.text(8);
  task.response_text = row.text(9);
  return task;
}

std::vector<TaskWork> work_of(Reader& reader, TaskId task) {
  return reader.database().all(
      "SELECT coalesce('user ' || user_id, external), state, coalesce(label, draft_label), coalesce(text, draft_text), "
      "submitted_at IS NOT NULL, seconds_spent, skip_reason, updated_at FROM lease WHERE task_id = ? "
      "ORDER BY coalesce(submitted_at, updated_at), id",
      [](Statement& row) {
        TaskWork work;
        work.person = row.text(0);
        work.state = row.text(1);
        if (!row.is_null(2)) work.label = store_rows::named<JudgmentLabel>(row, 2);
        work.text = row.text(3);
        work.submitted = row.integer(4) != 0;
        work.seconds_spent = row.optional_real(5);
        work.skip_reason = row.text(6);
        work.at = row.integer(7);
        return work;
      },
      task);
}

std::optional<Suggestion> suggestion_of(Reader& reader, ResponseId response) {
  return reader.database().first(
      "SELECT judgment.label, judgment.text, annotator.name FROM judgment JOIN annotator ON annotator.id = "
      "judgment.annotator_id AND annotator.kind <> 'human' WHERE judgment.response_id = ? AND judgment.validated = 1 "
      "ORDER BY judgment.settled_at DESC LIMIT 1",
      [](Statement& row) {
        return Suggestion{store_rows::named<JudgmentLabel>(row, 0), row.text(1), row.text(2)};
      },
      response);
}

std::optional<TaskId> task_in_review(Reader& reader, const std::string& item) {
  return reader.database().first(
      "SELECT id FROM task WHERE item = ? AND state = 'review'", [](Statement& row) { return TaskId{row.integer(0)}; },
      item);
}

TaskId require_review(Reader& reader, const std::string& item) {
  const auto task = task_in_review(reader, item);
  if (!task) throw Error(ErrorCode::kNotFound, "no item " + item + " waits for review");
  return *task;
}

// The account that "user 7" names, when there is one.
std::optional<UserId> account_of(Reader& reader, const std::string& person) {
  constexpr std::string_view kPrefix = "user ";
  if (!person.starts_with(kPrefix)) return std::nullopt;
  UserId user;
  const char* end = person.data() + person.size();
  const auto parsed = std::from_chars(person.data() + kPrefix.size(), end, user.value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return reader.database().first(
      "SELECT id FROM user WHERE id = ?", [](Statement& row) { return UserId{row.integer(0)}; }, user);
}

struct Target {
  TaskId id;
  bool room = false;
};

bool has_met(Reader& reader, TaskId task, const std::optional<UserId>& user, const std::string& person) {
  return reader.database().integer(
             "SELECT EXISTS (SELECT 1 FROM lease WHERE task_id = ? AND (user_id = ? OR external = ?) "
             "AND state IN ('done', 'surplus', 'skipped'))",
             task, user, person) != 0;
}

void add_work(Writer& writer, const Target& target, const ImportedWork& work, const std::optional<UserId>& user) {
  const char* state = work.skipped ? "skipped" : target.room ? "done" : "surplus";
  std::optional<std::string> external, label, text, reason;
  if (!user) external = work.person;
  std::optional<std::int64_t> submitted_at;
  if (work.skipped) {
    reason = work.submission.text;
  } else {
    label = name_of(work.submission.label);
    text = work.submission.text;
    submitted_at = writer.now();
  }
  writer.database().run(
      "INSERT INTO lease (item, task_id, user_id, external, state, deadline_ms, longest_ms, label, text, "
      "seconds_spent, submitted_at, skip_reason, claimed_at, updated_at) VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, "
      "?, ?)",
      random_hex(16), target.id, user, external, state, label, text, work.submission.seconds_spent, submitted_at,
      reason, writer.now(), writer.now());
  const bool complete =
      writer.database().integer("SELECT done = need FROM task WHERE id = ?", target.id) != 0 && target.room;
  if (complete) queue_detail::settle_by_votes(writer, target.id);
}

}  // namespace

std::vector<QueueTask> list_queue_tasks(Reader& reader, QueueId queue) {
  auto tasks = reader.database().all(select_tasks("WHERE task.queue_id = ? ORDER BY task.id"), task_of, queue);
  for (QueueTask& task : tasks) {
    task.work = work_of(reader, task.id);
    task.suggestion = suggestion_of(reader, task.response);
  }
  return tasks;
}

std::vector<QueueTask> list_review(Reader& reader, std::optional<RoundId> round, TaskId after, std::int64_t limit) {
  auto tasks = reader.database().all(
      select_tasks("WHERE task.state = 'review' AND task.id > ?1 AND (?2 IS NULL OR queue.round_id = ?2) "
                   "ORDER BY task.id LIMIT ?3"),
      task_of, after, round, limit);
  for (QueueTask& task : tasks) task.work = work_of(reader, task.id);
  return tasks;
}

void settle_review(Writer& writer, const std::string& item, const Submission& submission, const std::string& by) {
  const TaskId task = require_review(writer, item);
  const JudgmentId judgment{writer.database().integer("SELECT judgment_id FROM task WHERE id = ?", task)};
  const Json raw = Json::array(
      {{{"by", by}, {"label", name_of(submission.label)}, {"text", submission.text}, {"role", "operator"}}});
  settle_judgment(writer, judgment, {submission.label, submission.text, store_rows::text_of(raw), true});
  writer.database().run("UPDATE task SET state = 'settled' WHERE id = ?", task);
}

void reopen_review(Writer& writer, const std::string& item) {
  const TaskId task = require_review(writer, item);
  writer.database().run("UPDATE task SET state = 'open', review = NULL, need = max(need, done + 1) WHERE id = ?", task);
}

ImportedCounts import_work(Writer& writer, QueueId queue, const std::vector<ImportedWork>& work) {
  ImportedCounts counts;
  for (const ImportedWork& one : work) {
    const std::optional<UserId> user = account_of(writer, one.person);
    // Who began it here and finished it there is done with it.
    writer.database().run(
        "UPDATE lease SET state = 'expired', updated_at = ? WHERE user_id = ? AND state = 'live' "
        "AND task_id = (SELECT id FROM task WHERE item = ? AND queue_id = ?)",
        writer.now(), user, one.item, queue);
    const auto target = writer.database().first(
        "SELECT id, state = 'open' AND done + live < need FROM task WHERE item = ? AND queue_id = ?",
        [](Statement& row) {
          return Target{{row.integer(0)}, row.integer(1) != 0};
        },
        one.item, queue);
    if (!target) {
      ++counts.unmatched;
      continue;
    }
    if (has_met(writer, target->id, user, one.person)) {
      ++counts.known;
      continue;
    }
    add_work(writer, *target, one, user);
    ++counts.added;
  }
  return counts;
}

}  // namespace cutd
