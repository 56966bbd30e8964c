#include "cutd/export_rows.h"

#include <map>

namespace cutd {
namespace {

bool counts(const LineageRow& row) { return row.validated && row.label.has_value(); }

DataRecord record_of(const LineageRow& row) {
  DataRecord record;
  record.id = row.judgment.value;
  record.instruction = row.instruction;
  record.input = row.input;
  record.output = row.response_text;
  record.origin = "judgment " + std::to_string(row.judgment.value);
  return record;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

std::vector<DataRecord> judged_records(const std::vector<LineageRow>& rows) {
  std::vector<DataRecord> records;
  for (const LineageRow& row : rows) {
    if (!counts(row)) continue;
    DataRecord record = record_of(row);
    record.judged = true;
    if (row.label == JudgmentLabel::kNegative) record.judgment = row.judgment_text;
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<DataRecord> preference_records(const std::vector<LineageRow>& rows) {
  std::map<std::string, std::vector<const LineageRow*>> criticised;
  for (const LineageRow& row : rows) {
    if (counts(row) && row.label == JudgmentLabel::kNegative) criticised[row.instruction_hash].push_back(&row);
  }
  std::vector<DataRecord> records;
  for (const LineageRow& row : rows) {
    if (!counts(row) || row.label != JudgmentLabel::kPositive) continue;
    for (const LineageRow* worse : criticised[row.instruction_hash]) {
      if (worse->response_text == row.response_text) continue;
      DataRecord record = record_of(row);
      record.rejected = worse->response_text;
      records.push_back(std::move(record));
    }
  }
  return records;
}

std::vector<Json> lineage_json(const std::vector<LineageRow>& rows) {
  std::vector<Json> values;
  values.reserve(rows.size());
  for (const LineageRow& row : rows) {
    values.push_back({{"judgment_id", row.judgment.value},
                      {"run", row.run.value},
                      {"round", row.round_number},
                      {"outcome", row.outcome ? Json(name_of(*row.outcome)) : Json()},
                      {"instruction", row.instruction},
                      {"input", row.input},
                      {"instruction_hash", row.instruction_hash},
                      {"response", row.response_text},
                      {"response_hash", row.response_hash},
                      {"written_by_model", row.model_hash},
                      {"template_version", row.template_version},
                      {"state", name_of(row.state)},
                      {"label", row.label ? Json(name_of(*row.label)) : Json()},
                      {"judgment", text_or_null(row.judgment_text)},
                      {"judgment_hash", text_or_null(row.judgment_hash)},
                      {"validated", row.validated},
                      {"failure", text_or_null(row.failure)},
                      {"annotator", row.annotator},
                      {"annotator_kind", row.annotator_kind},
                      {"prompt_version", row.annotator_version},
                      {"manifest", text_or_null(row.manifest)},
                      {"manifest_row", row.position ? Json(*row.position) : Json()},
                      {"trained_delta", text_or_null(row.delta_adapter)},
                      {"trained_adapter", text_or_null(row.cumulative_adapter)}});
  }
  return values;
}

}  // namespace cutd
