#include "store/ledger.h"

#include "store/rows.h"

namespace cutd {

std::vector<Spending> list_spending(Reader& reader) {
  return reader.database().all("SELECT annotator, scope, reserved, spent FROM balance ORDER BY annotator, scope",
                               [](Statement& row) {
                                 return Spending{row.text(0), row.text(1), row.integer(2), row.integer(3)};
                               });
}

std::int64_t spent_on_run(Reader& reader, RunId run, AnnotatorId annotator, AnnotatorId payer) {
  return reader.database().integer(
      "SELECT coalesce(sum(reserved + spent), 0) FROM balance WHERE annotator = (SELECT name FROM annotator WHERE id = "
      "?3) "
      "AND scope IN (SELECT 'round:' || id FROM round WHERE run_id = ?1 UNION SELECT 'evaluation:' || id FROM "
      "evaluation "
      "WHERE annotator_id = ?2 AND created_at >= (SELECT created_at FROM run WHERE id = ?1))",
      run, annotator, payer);
}

std::vector<LedgerEntry> list_ledger(Reader& reader, RunId run, std::int64_t before, std::int64_t limit) {
  return reader.database().all(
      "SELECT ledger.id, ledger.kind, ledger.amount, a.id, a.judgment_id, a.number, judgment.annotator_id, "
      "round.run_id, "
      "unit.round_id, ledger.at FROM ledger JOIN judge_attempt AS a ON a.id = ledger.attempt_id "
      "JOIN judgment ON judgment.id = a.judgment_id JOIN response ON response.id = judgment.response_id "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "LEFT JOIN round ON round.id = unit.round_id "
      "WHERE (?1 = 0 OR round.run_id = ?1) AND (?2 = 0 OR ledger.id < ?2) ORDER BY ledger.id DESC LIMIT ?3",
      [](Statement& row) {
        LedgerEntry entry;
        entry.id = row.integer(0);
        entry.kind = row.text(1);
        entry.amount = row.integer(2);
        entry.attempt = {row.integer(3)};
        entry.judgment = {row.integer(4)};
        entry.number = row.integer(5);
        entry.annotator = {row.integer(6)};
        entry.run = store_rows::optional_id<RunId>(row, 7);
        entry.round = store_rows::optional_id<RoundId>(row, 8);
        entry.at = row.integer(9);
        return entry;
      },
      run, before, limit);
}

std::optional<MeasuredUse> measured_use(Reader& reader, const std::string& annotator, std::int64_t least) {
  constexpr std::int64_t kNewest = 1000;
  return reader.database().first(
      "SELECT count(*), avg(input_tokens), avg(output_tokens) FROM (SELECT input_tokens, output_tokens "
      "FROM judge_attempt WHERE annotator = ? AND state = 'received' AND input_tokens IS NOT NULL ORDER BY id DESC "
      "LIMIT ?) HAVING count(*) >= ?",
      [](Statement& row) {
        return MeasuredUse{row.integer(0), row.real(1), row.real(2)};
      },
      annotator, kNewest, least);
}

}  // namespace cutd
