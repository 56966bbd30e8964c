#include "store/judgments.h"

#include "store/rows.h"

namespace cutd {
namespace {

using store_rows::Owner;

Judgment judgment_of(Statement& row) {
  Judgment judgment;
  judgment.id = {row.integer(0)};
  judgment.response = {row.integer(1)};
  judgment.annotator = {row.integer(2)};
  judgment.split = store_rows::named<Split>(row, 3);
  judgment.state = store_rows::named<JudgmentState>(row, 4);
  if (!row.is_null(5)) judgment.label = store_rows::named<JudgmentLabel>(row, 5);
  judgment.hash = row.text(6);
  judgment.text = row.text(7);
  judgment.raw = row.text(8);
  judgment.validated = row.integer(9) != 0;
  judgment.failure = row.text(10);
  judgment.attempts = row.integer(11);
  return judgment;
}

Annotator annotator_of(Statement& row) {
  return {{row.integer(0)}, row.text(1), row.text(2), row.text(3), StoredJson(row.text(4))};
}

std::string select_judgment(const char* rest) {
  return std::string(
             "SELECT judgment.id, judgment.response_id, judgment.annotator_id, judgment.split, judgment.state, "
             "judgment.label, judgment.hash, judgment.text, judgment.raw, judgment.validated, judgment.failure, "
             "judgment.attempts FROM judgment JOIN response ON response.id = judgment.response_id "
             "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id ") +
         rest;
}

std::string name_of_judgment(JudgmentId judgment) { return "judgment " + std::to_string(judgment.value); }

}  // namespace

AnnotatorId ensure_annotator(Writer& writer, const NewAnnotator& annotator) {
  Database& database = writer.database();
  const auto known = database.first(
      "SELECT id FROM annotator WHERE name = ? AND version = ?",
      [](Statement& row) { return AnnotatorId{row.integer(0)}; }, annotator.name, annotator.version);
  if (known) {
    database.run("UPDATE annotator SET kind = ?, config = ? WHERE id = ?", annotator.kind,
                 store_rows::text_of(annotator.config), *known);
    return *known;
  }
  database.run("INSERT INTO annotator (name, version, kind, config) VALUES (?, ?, ?, ?)", annotator.name,
               annotator.version, annotator.kind, store_rows::text_of(annotator.config));
  return {database.last_row_id()};
}

std::optional<Annotator> find_annotator(Reader& reader, AnnotatorId id) {
  return reader.database().first("SELECT id, name, version, kind, config FROM annotator WHERE id = ?", annotator_of,
                                 id);
}

std::vector<Annotator> list_annotators(Reader& reader) {
  return reader.database().all("SELECT id, name, version, kind, config FROM annotator ORDER BY id", annotator_of);
}

std::int64_t request_judgments(Writer& writer, UnitOwner owner, AnnotatorId annotator) {
  const Owner columns(owner);
  return writer.database().run(
      "INSERT INTO judgment (response_id, split, annotator_id, state, created_at) "
      "SELECT response.id, response.split, ?1, 'pending', ?2 FROM response "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "WHERE unit.round_id IS ?3 AND unit.evaluation_id IS ?4 AND NOT EXISTS ("
      "  SELECT 1 FROM judgment WHERE judgment.response_id = response.id AND judgment.annotator_id = ?1) "
      "ORDER BY unit.number, sample.position",
      annotator, writer.now(), columns.round, columns.evaluation);
}

void request_judgment(Writer& writer, ResponseId response, AnnotatorId annotator) {
  writer.database().run(
      "INSERT INTO judgment (response_id, split, annotator_id, state, created_at) "
      "SELECT id, split, ?1, 'pending', ?2 FROM response WHERE id = ?3 AND NOT EXISTS ("
      "  SELECT 1 FROM judgment WHERE response_id = ?3 AND annotator_id = ?1)",
      annotator, writer.now(), response);
}

std::vector<PendingJudgment> list_pending_judgments(Reader& reader, UnitOwner owner, AnnotatorId annotator,
                                                    std::int64_t limit) {
  const Owner columns(owner);
  return reader.database().all(
      "SELECT judgment.id, instruction.id, instruction.hash, instruction.text, instruction.input, instruction.split, "
      "instruction.source, response.id, sample.id, unit.id, sample.instruction_id, response.split, response.hash, "
      "response.ids, response.text, response.finish_reason, sample.seed, response.model_hash, "
      "response.template_version, response.logprob_sum, response.base_logprob_sum, "
      "coalesce(instruction_reference.text, '') "
      "FROM judgment JOIN response ON response.id = judgment.response_id "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "JOIN instruction ON instruction.id = sample.instruction_id "
      "LEFT JOIN instruction_reference ON instruction_reference.instruction_id = instruction.id "
      "WHERE judgment.annotator_id = ? AND judgment.state = 'pending' AND unit.round_id IS ? "
      "AND unit.evaluation_id IS ? ORDER BY judgment.id LIMIT ?",
      [](Statement& row) {
        constexpr int kReference = 21;
        PendingJudgment pending{{row.integer(0)},
                                store_rows::instruction_of(row, 1),
                                store_rows::response_of(row, 1 + store_rows::kInstructionColumns)};
        pending.instruction.reference = row.text(kReference);
        return pending;
      },
      annotator, columns.round, columns.evaluation, limit);
}

JudgmentCounts count_judgments(Reader& reader, UnitOwner owner, AnnotatorId annotator) {
  const Owner columns(owner);
  const auto counts = reader.database().first(
      "SELECT count(*) FILTER (WHERE judgment.state = 'pending'), count(*) FILTER (WHERE judgment.validated = 1), "
      "count(*) FILTER (WHERE judgment.state <> 'pending' AND judgment.validated = 0), "
      "min(judgment.failure) FROM judgment "
      "JOIN response ON response.id = judgment.response_id JOIN sample ON sample.id = response.sample_id "
      "JOIN unit ON unit.id = sample.unit_id "
      "WHERE judgment.annotator_id = ? AND unit.round_id IS ? AND unit.evaluation_id IS ?",
      [](Statement& row) {
        return JudgmentCounts{row.integer(0), row.integer(1), row.integer(2), row.text(3)};
      },
      annotator, columns.round, columns.evaluation);
  return counts.value();
}

std::int64_t count_pending(Reader& reader, AnnotatorId annotator) {
  return reader.database().integer("SELECT count(*) FROM judgment WHERE annotator_id = ? AND state = 'pending'",
                                   annotator);
}

std::vector<AnnotatorId> list_annotators_with_pending_judgments(Reader& reader) {
  return reader.database().all(
      "SELECT DISTINCT annotator_id FROM judgment WHERE state = 'pending' ORDER BY annotator_id",
      [](Statement& row) { return AnnotatorId{row.integer(0)}; });
}

bool is_pending(Reader& reader, JudgmentId judgment) {
  return reader.database().integer("SELECT count(*) FROM judgment WHERE id = ? AND state = 'pending'", judgment) == 1;
}

void begin_judgment_attempt(Writer& writer, JudgmentId judgment) {
  // An earlier try's reply was read: what comes now is new (list_unread_replies).
  const std::int64_t changed = writer.database().run(
      "UPDATE judgment SET attempts = attempts + 1, raw = NULL WHERE id = ? AND state = 'pending'", judgment);
  store_rows::require_one(changed, name_of_judgment(judgment) + " is settled already, or not there");
}

void settle_judgment(Writer& writer, JudgmentId judgment, const JudgmentResult& result) {
  const std::int64_t changed = writer.database().run(
      "UPDATE judgment SET state = 'done', label = ?, hash = ?, text = ?, raw = ?, validated = ?, settled_at = ? "
      "WHERE id = ? AND state = 'pending'",
      name_of(result.label), judgment_hash(result.text), result.text, Blob{result.raw}, result.validated, writer.now(),
      judgment);
  store_rows::require_one(changed, name_of_judgment(judgment) + " is settled already, or not there");
}

void fail_judgment(Writer& writer, JudgmentId judgment, const std::string& reason, const std::string& raw) {
  const std::int64_t changed = writer.database().run(
      "UPDATE judgment SET state = 'failed', failure = ?, raw = ?, settled_at = ? WHERE id = ? AND state = 'pending'",
      reason, Blob{raw}, writer.now(), judgment);
  store_rows::require_one(changed, name_of_judgment(judgment) + " is settled already, or not there");
}

std::int64_t retry_failed_judgments(Writer& writer, UnitOwner owner, AnnotatorId annotator) {
  const Owner columns(owner);
  return writer.database().run(
      "UPDATE judgment SET state = 'pending', failure = NULL, settled_at = NULL "
      "WHERE state = 'failed' AND annotator_id = ? AND response_id IN ("
      "  SELECT response.id FROM response JOIN sample ON sample.id = response.sample_id "
      "  JOIN unit ON unit.id = sample.unit_id WHERE unit.round_id IS ? AND unit.evaluation_id IS ?)",
      annotator, columns.round, columns.evaluation);
}

std::vector<Judgment> list_judgments(Reader& reader, UnitOwner owner, AnnotatorId annotator) {
  const Owner columns(owner);
  return reader.database().all(
      select_judgment("WHERE judgment.annotator_id = ? AND unit.round_id IS ? AND unit.evaluation_id IS ? "
                      "ORDER BY unit.number, sample.position"),
      judgment_of, annotator, columns.round, columns.evaluation);
}

std::vector<Judgment> list_judgments(Reader& reader, ResponseId response) {
  return reader.database().all(select_judgment("WHERE judgment.response_id = ? ORDER BY judgment.id"), judgment_of,
                               response);
}

}  // namespace cutd
