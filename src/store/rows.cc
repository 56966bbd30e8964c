#include "store/rows.h"

namespace cutd::store_rows {

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
