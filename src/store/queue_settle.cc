#include "store/queue_settle.h"

#include "store/judgments.h"
#include "store/queue_rules.h"
#include "store/rows.h"

namespace cutd::queue_detail {
namespace {

struct Vote {
  JudgmentLabel label = JudgmentLabel::kNegative;
  std::string text;
  std::string person;
};

struct TaskFacts {
  std::string state;
  std::optional<JudgmentId> judgment;  // none: gold
  std::string judgment_state;
  std::string agreement;
};

TaskFacts facts_of(Reader& reader, TaskId task) {
  const auto facts = reader.database().first(
      "SELECT task.state, task.judgment_id, judgment.state, queue.agreement FROM task "
      "LEFT JOIN judgment ON judgment.id = task.judgment_id LEFT JOIN queue ON queue.id = task.queue_id "
      "WHERE task.id = ?",
      [](Statement& row) {
        return TaskFacts{row.text(0), store_rows::optional_id<JudgmentId>(row, 1), row.text(2), row.text(3)};
      },
      task);
  return facts.value();
}

std::vector<Vote> counted_votes(Reader& reader, TaskId task) {
  return reader.database().all(
      "SELECT label, text, coalesce('user ' || user_id, external) FROM lease WHERE task_id = ? AND state = 'done' "
      "ORDER BY submitted_at, id",
      [](Statement& row) {
        return Vote{store_rows::named<JudgmentLabel>(row, 0), row.text(1), row.text(2)};
      },
      task);
}

// What everybody wrote, kept with the judgment: who and what, in the order of submission.
std::string raw_of(const std::vector<Vote>& votes) {
  Json list = Json::array();
  for (const Vote& vote : votes)
    list.push_back({{"by", vote.person}, {"label", name_of(vote.label)}, {"text", vote.text}});
  return store_rows::text_of(list);
}

void set_state(Writer& writer, TaskId task, const char* state) {
  writer.database().run("UPDATE task SET state = ? WHERE id = ?", state, task);
}

void settle(Writer& writer, TaskId task, const TaskFacts& facts, const std::vector<Vote>& votes,
            const PeopleVerdict& verdict) {
  // Whoever settled the judgment first keeps it; the work of people stays in the leases.
  if (facts.judgment_state == name_of(JudgmentState::kPending)) {
    if (verdict.kind == PeopleVerdict::Kind::kLabel) {
      const Vote& stands = votes[verdict.index];
      settle_judgment(writer, *facts.judgment, {stands.label, stands.text, raw_of(votes), true});
    } else {
      fail_judgment(writer, *facts.judgment, verdict.reason, raw_of(votes));
    }
  }
  set_state(writer, task, "settled");
}

PeopleVerdict verdict_of(const std::vector<Vote>& votes, const std::string& rule) {
  std::vector<JudgmentLabel> labels;
  labels.reserve(votes.size());
  for (const Vote& vote : votes) labels.push_back(vote.label);
  return verdict_of_people(labels, rule);
}

}  // namespace

std::int64_t expire_overdue(Writer& writer, std::int64_t now_ms, std::int64_t most) {
  return writer.database().run(
      "UPDATE lease SET state = 'expired', updated_at = ? WHERE id IN ("
      "  SELECT id FROM lease WHERE state = 'live' AND deadline_ms <= ? ORDER BY deadline_ms LIMIT ?)",
      writer.now(), now_ms, most);
}

void see_clock(Writer& writer, std::int64_t now_ms) {
  writer.database().run("UPDATE queue_clock SET seen_ms = ? WHERE seen_ms < ?", now_ms, now_ms);
}

void settle_by_votes(Writer& writer, TaskId task) {
  const TaskFacts facts = facts_of(writer, task);
  if (facts.state != "open" || !facts.judgment) return;
  const std::vector<Vote> votes = counted_votes(writer, task);
  const PeopleVerdict verdict = verdict_of(votes, facts.agreement);
  if (verdict.kind == PeopleVerdict::Kind::kReview) return mark_for_review(writer, task, verdict.reason);
  settle(writer, task, facts, votes, verdict);
}

void settle_at_close(Writer& writer, TaskId task) {
  const TaskFacts facts = facts_of(writer, task);
  const std::vector<Vote> votes = counted_votes(writer, task);
  PeopleVerdict verdict;
  if (!votes.empty()) verdict = verdict_of(votes, facts.agreement);
  if (verdict.kind == PeopleVerdict::Kind::kLabel) return settle(writer, task, facts, votes, verdict);
  if (facts.judgment_state == name_of(JudgmentState::kPending)) {
    const std::string why = votes.empty() ? "nobody had judged it" : verdict.reason;
    fail_judgment(writer, *facts.judgment, std::string(kClosedFailure) + ": " + why, raw_of(votes));
  }
  set_state(writer, task, "closed");
}

void mark_for_review(Writer& writer, TaskId task, const std::string& reason) {
  writer.database().run("UPDATE task SET state = 'review', review = ? WHERE id = ?", reason, task);
}

void review_if_nobody_is_left(Writer& writer, TaskId task) {
  Database& database = writer.database();
  const bool waits =
      database.integer(
          "SELECT count(*) FROM task WHERE id = ? AND gold_id IS NULL AND state = 'open' AND live = 0 "
          "AND done < need AND EXISTS (SELECT 1 FROM lease WHERE lease.task_id = task.id AND lease.state = 'skipped')",
          task) > 0;
  if (!waits) return;
  const std::int64_t left = database.integer(
      "SELECT count(*) FROM user JOIN task ON task.id = ?1 JOIN queue ON queue.id = task.queue_id "
      "LEFT JOIN queue_person AS person ON person.user_id = user.id "
      "WHERE user.role = 'annotator' AND user.revoked_at IS NULL AND person.blocked_at IS NULL "
      "AND (json_array_length(queue.tags) = 0 OR EXISTS (SELECT 1 FROM json_each(user.tags) AS own "
      "  JOIN json_each(queue.tags) AS wanted ON wanted.value = own.value)) "
      "AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.task_id = ?1 AND lease.user_id = user.id "
      "  AND lease.state IN ('done', 'skipped'))",
      task);
  if (left == 0) mark_for_review(writer, task, "everyone who could judge it has skipped or judged it already");
}

void give_back_live(Writer& writer, UserId user) {
  writer.database().run("UPDATE lease SET state = 'expired', updated_at = ? WHERE user_id = ? AND state = 'live'",
                        writer.now(), user);
}

void review_where_nobody_is_left(Writer& writer) {
  // From the few skipped leases, not from the many open tasks.
  const auto tasks = writer.database().all(
      "SELECT DISTINCT task.id FROM lease INDEXED BY lease_skipped CROSS JOIN task ON task.id = lease.task_id "
      "WHERE lease.state = 'skipped' AND task.state = 'open' AND task.live = 0 AND task.done < task.need "
      "AND task.queue_id IN (SELECT id FROM queue WHERE state <> 'closed')",
      [](Statement& row) { return TaskId{row.integer(0)}; });
  for (const TaskId task : tasks) review_if_nobody_is_left(writer, task);
}

void take_back_work(Writer& writer, UserId user) {
  Database& database = writer.database();
  const auto tasks = database.all(
      "SELECT task.id, lease.id, task.state, task.judgment_id, task.state = 'settled' AND EXISTS (SELECT 1 FROM "
      "  judgment WHERE judgment.id = task.judgment_id AND json_extract(judgment.raw, '$[0].role') = 'operator') "
      "FROM lease JOIN task ON task.id = lease.task_id "
      "JOIN queue ON queue.id = task.queue_id LEFT JOIN round ON round.id = queue.round_id "
      "LEFT JOIN evaluation ON evaluation.id = queue.evaluation_id "
      "WHERE lease.user_id = ? AND lease.state = 'done' AND queue.state <> 'closed' "
      "AND (round.phase IN ('created', 'generating', 'judging') OR round.resume_phase = 'judging' "
      "  OR round.resume_phase = 'generating' OR evaluation.state = 'open')",
      [](Statement& row) {
        return std::tuple(row.integer(0), row.integer(1), row.text(2), row.integer(3), row.integer(4) != 0);
      },
      user);
  for (const auto& [task, lease, state, judgment, by_operator] : tasks) {
    database.run("UPDATE lease SET state = 'surplus', updated_at = ? WHERE id = ?", writer.now(), lease);
    if (by_operator) continue;  // that verdict was never this person's
    if (state == "settled") {
      database.run(
          "UPDATE judgment SET state = 'pending', label = NULL, hash = NULL, text = NULL, raw = NULL, validated = 0, "
          "failure = NULL, settled_at = NULL WHERE id = ?",
          judgment);
    }
    database.run("UPDATE task SET state = 'open', review = NULL WHERE id = ?", task);
  }
  give_back_live(writer, user);
  review_where_nobody_is_left(writer);
}

}  // namespace cutd::queue_detail
