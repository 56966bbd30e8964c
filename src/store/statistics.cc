#include "store/statistics.h"

#include "store/rows.h"

namespace cutd {
namespace {

LabelledCount labelled(Statement& row) { return {row.text(0), row.integer(1)}; }

}  // namespace

StoreStatistics read_statistics(Reader& reader) {
  Database& database = reader.database();
  StoreStatistics statistics;
  statistics.judgments =
      database.all("SELECT state, sum(count) FROM judgment_count GROUP BY state ORDER BY state", labelled);
  statistics.rounds = database.all("SELECT phase, count(*) FROM round GROUP BY phase ORDER BY phase", labelled);
  statistics.deliveries = database.all("SELECT state, count(*) FROM delivery GROUP BY state ORDER BY state", labelled);
  statistics.last_completed_at =
      database.integer("SELECT coalesce(max(updated_at), 0) FROM round WHERE phase = 'completed'");
  statistics.bytes = database.integer("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()");
  database.first("SELECT coalesce(sum(spent), 0), coalesce(sum(reserved), 0) FROM balance WHERE scope = 'total'",
                 [&](Statement& row) {
                   statistics.spent = row.integer(0);
                   statistics.reserved = row.integer(1);
                   return 0;
                 });
  statistics.unknown_attempts =
      database.integer("SELECT count(*) FROM judge_attempt WHERE state = 'unknown' AND resolution IS NULL");
  statistics.oldest_lease_at = database.integer(
      "SELECT coalesce(min(claimed_at), 0) FROM lease INDEXED BY lease_live_of_person WHERE state = 'live'");
  return statistics;
}

std::vector<CountedAnnotator> list_annotators(Reader& reader, std::optional<RunId> run) {
  return reader.database().all(
      "SELECT annotator.id, name, version, kind, config, "
      "coalesce(sum(count) FILTER (WHERE state = 'pending'), 0), coalesce(sum(count) FILTER (WHERE state = 'done'), "
      "0), "
      "coalesce(sum(count) FILTER (WHERE state = 'failed'), 0), "
      "coalesce(sum(count) FILTER (WHERE label = 'positive'), 0), "
      "coalesce(sum(count) FILTER (WHERE label = 'negative'), 0) "
      "FROM annotator LEFT JOIN judgment_count ON judgment_count.annotator_id = annotator.id "
      "AND (?1 IS NULL OR round_id IN (SELECT id FROM round WHERE run_id = ?1)) "
      "GROUP BY annotator.id HAVING ?1 IS NULL OR count(judgment_count.annotator_id) > 0 ORDER BY annotator.id",
      [](Statement& row) {
        CountedAnnotator found;
        found.annotator = {AnnotatorId{row.integer(0)}, row.text(1), row.text(2), row.text(3), StoredJson(row.text(4))};
        found.counts = {row.integer(5), row.integer(6), row.integer(7), row.integer(8), row.integer(9)};
        return found;
      },
      run);
}

}  // namespace cutd
