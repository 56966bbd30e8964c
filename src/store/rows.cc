#include "store/rows.h"

#include <charconv>

namespace cutd::store_rows {

// Most of what is read of a round are such lists: no JSON value is made for each number.
std::vector<std::int64_t> ids(const Statement& row, int column) {
  const std::string text = row.text(column);
  std::vector<std::int64_t> ids;
  if (text == "[]") return ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  bool good = text.starts_with('[');
  while (good && *at != ']') {  // at the '[' or ',' before a number
    const auto [next, error] = std::from_chars(at + 1, end, ids.emplace_back());
    good = error == std::errc() && next != end && (*next == ',' || *next == ']');
    at = next;
  }
  if (!good || at + 1 != end) throw Error(ErrorCode::kInternal, "a list of ids is damaged: " + text.substr(0, 200));
  return ids;
}

Instruction instruction_of(const Statement& row, int first) {
  Instruction instruction;
  instruction.id = {row.integer(first)};
  instruction.hash = row.text(first + 1);
  instruction.text = row.text(first + 2);
  instruction.input = row.text(first + 3);
  instruction.split = named<Split>(row, first + 4);
  instruction.source = row.text(first + 5);
  return instruction;
}

Response response_of(const Statement& row, int first) {
  Response response;
  response.id = {row.integer(first)};
  response.sample = {row.integer(first + 1)};
  response.unit = {row.integer(first + 2)};
  response.instruction = {row.integer(first + 3)};
  response.split = named<Split>(row, first + 4);
  response.hash = row.text(first + 5);
  response.ids = ids(row, first + 6);
  response.text = row.text(first + 7);
  response.finish_reason = row.text(first + 8);
  response.seed = row.integer(first + 9);
  response.model_hash = row.text(first + 10);
  response.template_version = row.text(first + 11);
  response.logprob_sum = row.real(first + 12);
  response.base_logprob_sum = row.optional_real(first + 13);
  return response;
}

Evaluation evaluation_of(const Statement& row) {
  Evaluation evaluation;
  evaluation.id = {row.integer(0)};
  evaluation.key.model_hash = row.text(1);
  evaluation.key.set_hash = row.text(2);
  evaluation.key.annotator = {row.integer(3)};
  evaluation.key.decoding_hash = row.text(4);
  evaluation.split = named<Split>(row, 5);
  evaluation.state = named<EvaluationState>(row, 6);
  if (!row.is_null(7)) evaluation.summary = json(row, 7);
  evaluation.created_at = row.integer(8);
  return evaluation;
}

}  // namespace cutd::store_rows
