#include "store/evaluations.h"

#include "store/rows.h"

namespace cutd {
namespace {

std::string select_evaluation(const char* rest) {
  return std::string(
             "SELECT id, model_hash, set_hash, annotator_id, decoding_hash, split, state, summary, created_at "
             "FROM evaluation ") +
         rest;
}

void add_item(Writer& writer, EvaluationId evaluation, const EvaluationItem& item) {
  const std::int64_t added = writer.database().run(
      "INSERT INTO evaluation_item (evaluation_id, judgment_id, split, validated, measures) "
      "SELECT evaluation.id, judgment.id, judgment.split, 1, ?1 FROM evaluation "
      "JOIN unit ON unit.evaluation_id = evaluation.id JOIN sample ON sample.unit_id = unit.id "
      "JOIN response ON response.sample_id = sample.id JOIN judgment ON judgment.response_id = response.id "
      "WHERE evaluation.id = ?2 AND judgment.id = ?3 AND judgment.annotator_id = evaluation.annotator_id "
      "AND judgment.validated = 1 AND judgment.label = ?4 AND response.id = ?5 AND sample.instruction_id = ?6",
      store_rows::text_of(item.measures), evaluation, item.judgment,
      name_of(item.perfect ? JudgmentLabel::kPositive : JudgmentLabel::kNegative), item.response, item.instruction);
  store_rows::require_one(added, "judgment " + std::to_string(item.judgment.value) + " does not belong to evaluation " +
                                     std::to_string(evaluation.value) + " as stated");
}

}  // namespace

EvaluationId ensure_evaluation(Writer& writer, const EvaluationKey& key, Split split) {
  if (const auto known = find_evaluation(writer, key)) {
    if (known->split == split) return known->id;
    throw Error(ErrorCode::kConflict, "evaluation " + std::to_string(known->id.value) + " is of split " +
                                          std::string(name_of(known->split)) + ", not " + std::string(name_of(split)));
  }
  writer.database().run(
      "INSERT INTO evaluation (model_hash, set_hash, annotator_id, decoding_hash, split, state, created_at) "
      "VALUES (?, ?, ?, ?, ?, 'open', ?)",
      key.model_hash, key.set_hash, key.annotator, key.decoding_hash, name_of(split), writer.now());
  return {writer.database().last_row_id()};
}

void finish_evaluation(Writer& writer, EvaluationId evaluation, std::span<const EvaluationItem> items,
                       const Json& summary) {
  const std::string name = "evaluation " + std::to_string(evaluation.value);
  const std::int64_t open_units =
      writer.database().integer("SELECT count(*) FROM unit WHERE evaluation_id = ? AND state = 'open'", evaluation);
  if (open_units > 0) throw Error(ErrorCode::kConflict, name + " still has open units");
  const std::int64_t changed =
      writer.database().run("UPDATE evaluation SET state = 'done', summary = ? WHERE id = ? AND state = 'open'",
                            store_rows::text_of(summary), evaluation);
  store_rows::require_one(changed, name + " is done already, or not there");
  for (const EvaluationItem& item : items) add_item(writer, evaluation, item);
}

std::optional<Evaluation> find_evaluation(Reader& reader, EvaluationId id) {
  return reader.database().first(select_evaluation("WHERE id = ?"), store_rows::evaluation_of, id);
}

std::optional<Evaluation> find_evaluation(Reader& reader, const EvaluationKey& key) {
  return reader.database().first(
      select_evaluation("WHERE model_hash = ? AND set_hash = ? AND annotator_id = ? AND decoding_hash = ?"),
      store_rows::evaluation_of, key.model_hash, key.set_hash, key.annotator, key.decoding_hash);
}

std::vector<Evaluation> list_evaluations(Reader& reader) {
  return reader.database().all(select_evaluation("ORDER BY id"), store_rows::evaluation_of);
}

std::vector<EvaluationItem> list_evaluation_items(Reader& reader, EvaluationId evaluation) {
  return reader.database().all(
      "SELECT sample.instruction_id, response.id, judgment.id, judgment.label = 'positive', item.measures "
      "FROM evaluation_item AS item JOIN judgment ON judgment.id = item.judgment_id "
      "JOIN response ON response.id = judgment.response_id JOIN sample ON sample.id = response.sample_id "
      "WHERE item.evaluation_id = ? ORDER BY response.id",
      [](Statement& row) {
        return EvaluationItem{
            {row.integer(0)}, {row.integer(1)}, {row.integer(2)}, row.integer(3) != 0, store_rows::json(row, 4)};
      },
      evaluation);
}

}  // namespace cutd
