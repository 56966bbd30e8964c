#include "store/lineage.h"

#include "store/rows.h"

namespace cutd {
namespace {

constexpr const char* kLineage =
    "SELECT round.run_id, round.id, round.number, round.outcome, instruction.hash, instruction.text, "
    "instruction.input, "
    "response.id, response.hash, response.text, response.model_hash, response.template_version, judgment.id, "
    "judgment.state, judgment.label, judgment.hash, judgment.text, judgment.validated, judgment.failure, "
    "annotator.name, annotator.version, annotator.kind, manifest.sha256, manifest_entry.position, "
    "(SELECT hash FROM adapter WHERE adapter.round_id = round.id AND kind = 'delta' AND state = 'verified'), "
    "(SELECT hash FROM adapter WHERE adapter.round_id = round.id AND kind = 'cumulative' AND state = 'verified') "
    "FROM judgment JOIN annotator ON annotator.id = judgment.annotator_id "
    "JOIN response ON response.id = judgment.response_id JOIN sample ON sample.id = response.sample_id "
    "JOIN unit ON unit.id = sample.unit_id JOIN round ON round.id = unit.round_id "
    "JOIN instruction ON instruction.id = sample.instruction_id "
    "LEFT JOIN manifest_entry ON manifest_entry.judgment_id = judgment.id "
    "LEFT JOIN manifest ON manifest.id = manifest_entry.manifest_id "
    "WHERE round.run_id = ?1 AND (?2 IS NULL OR round.id = ?2) "
    "ORDER BY round.number, unit.number, sample.position, judgment.id";

template <typename Enum>
std::optional<Enum> optional_named(const Statement& row, int column) {
  const std::string word = row.text(column);
  if (word.empty()) return std::nullopt;
  return from_name<Enum>(word);
}

LineageRow lineage_of(Statement& row) {
  LineageRow line;
  line.run = {row.integer(0)};
  line.round = {row.integer(1)};
  line.round_number = row.integer(2);
  line.outcome = optional_named<Outcome>(row, 3);
  line.instruction_hash = row.text(4);
  line.instruction = row.text(5);
  line.input = row.text(6);
  line.response = {row.integer(7)};
  line.response_hash = row.text(8);
  line.response_text = row.text(9);
  line.model_hash = row.text(10);
  line.template_version = row.text(11);
  line.judgment = {row.integer(12)};
  line.state = store_rows::named<JudgmentState>(row, 13);
  line.label = optional_named<JudgmentLabel>(row, 14);
  line.judgment_hash = row.text(15);
  line.judgment_text = row.text(16);
  line.validated = row.integer(17) != 0;
  line.failure = row.text(18);
  line.annotator = row.text(19);
  line.annotator_version = row.text(20);
  line.annotator_kind = row.text(21);
  line.manifest = row.text(22);
  line.position = row.optional_integer(23);
  if (!line.manifest.empty()) {
    line.delta_adapter = row.text(24);
    line.cumulative_adapter = row.text(25);
  }
  return line;
}

}  // namespace

std::vector<LineageRow> list_lineage(Reader& reader, RunId run, std::optional<RoundId> round) {
  return reader.database().all(kLineage, lineage_of, run, round);
}

std::vector<EvaluatedOutput> list_evaluated_outputs(Reader& reader, EvaluationId evaluation) {
  return reader.database().all(
      "SELECT instruction.text, instruction.input, response.text FROM unit JOIN sample ON sample.unit_id = unit.id "
      "JOIN response ON response.sample_id = sample.id JOIN instruction ON instruction.id = sample.instruction_id "
      "WHERE unit.evaluation_id = ? ORDER BY unit.number, sample.position",
      [](Statement& row) {
        return EvaluatedOutput{row.text(0), row.text(1), row.text(2)};
      },
      evaluation);
}

}  // namespace cutd
