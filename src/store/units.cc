#include "store/units.h"

#include "store/rows.h"

namespace cutd {
namespace {

using store_rows::Owner;

Unit unit_of(Statement& row) {
  Unit unit;
  unit.id = {row.integer(0)};
  unit.round = store_rows::optional_id<RoundId>(row, 1);
  unit.evaluation = store_rows::optional_id<EvaluationId>(row, 2);
  unit.number = row.integer(3);
  unit.split = store_rows::named<Split>(row, 4);
  unit.state = store_rows::named<UnitState>(row, 5);
  unit.samples = row.integer(6);
  return unit;
}

std::string select_unit(const char* rest) {
  return std::string(
             "SELECT id, round_id, evaluation_id, number, split, state, "
             "(SELECT count(*) FROM sample WHERE unit_id = unit.id) FROM unit ") +
         rest;
}

Sample sample_of(Statement& row) {
  Sample sample;
  sample.id = {row.integer(0)};
  sample.unit = {row.integer(1)};
  sample.position = row.integer(2);
  sample.instruction = {row.integer(3)};
  sample.number = row.integer(4);
  sample.seed = row.integer(5);
  sample.prompt_ids = store_rows::ids(row, 6);
  return sample;
}

std::string select_response(const char* rest) {
  return std::string(
             "SELECT response.id, sample.id, unit.id, sample.instruction_id, response.split, response.hash, "
             "response.ids, response.text, response.finish_reason, sample.seed, response.model_hash, "
             "response.template_version, response.logprob_sum, response.base_logprob_sum "
             "FROM response JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id ") +
         rest;
}

void add_sample(Writer& writer, UnitId unit, std::int64_t position, Split split, const NewSample& sample) {
  Database& database = writer.database();
  // The foreign key refuses it too; this says which.
  const std::int64_t fits = database.integer("SELECT EXISTS (SELECT 1 FROM instruction WHERE id = ? AND split = ?)",
                                             sample.instruction, name_of(split));
  if (fits == 0) {
    throw Error(ErrorCode::kConflict, "instruction " + std::to_string(sample.instruction.value) + " is not in split " +
                                          std::string(name_of(split)) + " and cannot be sampled for it");
  }
  database.run(
      "INSERT INTO sample (unit_id, position, instruction_id, split, number, seed, prompt_ids) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      unit, position, sample.instruction, name_of(split), sample.number, sample.seed,
      store_rows::text_of(std::span(sample.prompt_ids)));
}

}  // namespace

std::vector<UnitId> plan_units(Writer& writer, UnitOwner owner, Split split, std::span<const NewUnit> units) {
  Database& database = writer.database();
  const Owner columns(owner);
  const std::int64_t planned = database.integer("SELECT count(*) FROM unit WHERE round_id IS ? AND evaluation_id IS ?",
                                                columns.round, columns.evaluation);
  if (planned > 0) throw Error(ErrorCode::kConflict, "the units are planned already");
  std::vector<UnitId> ids;
  for (const NewUnit& unit : units) {
    database.run("INSERT INTO unit (round_id, evaluation_id, number, split, state) VALUES (?, ?, ?, ?, 'open')",
                 columns.round, columns.evaluation, ids.size(), name_of(split));
    ids.push_back({database.last_row_id()});
    std::int64_t position = 0;
    for (const NewSample& sample : unit) add_sample(writer, ids.back(), position++, split, sample);
  }
  return ids;
}

std::vector<Unit> list_units(Reader& reader, UnitOwner owner) {
  const Owner columns(owner);
  return reader.database().all(select_unit("WHERE round_id IS ? AND evaluation_id IS ? ORDER BY number"), unit_of,
                               columns.round, columns.evaluation);
}

std::vector<Unit> list_open_units(Reader& reader, UnitOwner owner) {
  const Owner columns(owner);
  return reader.database().all(
      select_unit("WHERE round_id IS ? AND evaluation_id IS ? AND state = 'open' ORDER BY number"), unit_of,
      columns.round, columns.evaluation);
}

std::vector<Sample> list_samples(Reader& reader, UnitId unit) {
  return reader.database().all(
      "SELECT id, unit_id, position, instruction_id, number, seed, prompt_ids FROM sample "
      "WHERE unit_id = ? ORDER BY position",
      sample_of, unit);
}

std::vector<ResponseId> commit_unit(Writer& writer, UnitId unit, std::span<const NewResponse> responses) {
  Database& database = writer.database();
  const std::string name = "unit " + std::to_string(unit.value);
  store_rows::require_one(database.run("UPDATE unit SET state = 'done' WHERE id = ? AND state = 'open'", unit),
                          name + " is done already, or not there");
  const auto samples = database.all(
      "SELECT id FROM sample WHERE unit_id = ? ORDER BY position",
      [](Statement& row) { return SampleId{row.integer(0)}; }, unit);
  if (samples.size() != responses.size()) {
    throw Error(ErrorCode::kBadInput, name + " asked for " + std::to_string(samples.size()) + " responses and got " +
                                          std::to_string(responses.size()));
  }
  std::vector<ResponseId> ids;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const NewResponse& response = responses[i];
    database.run(
        "INSERT INTO response (sample_id, split, hash, ids, text, finish_reason, model_hash, template_version, "
        "logprob_sum) SELECT id, split, ?, ?, ?, ?, ?, ?, ? FROM sample WHERE id = ?",
        response_hash(response.ids), store_rows::text_of(std::span(response.ids)), response.text,
        response.finish_reason, response.model_hash, response.template_version, response.logprob_sum, samples[i]);
    ids.push_back({database.last_row_id()});
  }
  return ids;
}

std::optional<Response> find_response(Reader& reader, ResponseId id) {
  return reader.database().first(
      select_response("WHERE response.id = ?"), [](Statement& row) { return store_rows::response_of(row); }, id);
}

std::vector<Response> list_responses(Reader& reader, UnitOwner owner) {
  const Owner columns(owner);
  return reader.database().all(
      select_response("WHERE unit.round_id IS ? AND unit.evaluation_id IS ? ORDER BY unit.number, sample.position"),
      [](Statement& row) { return store_rows::response_of(row); }, columns.round, columns.evaluation);
}

void record_base_logprobs(Writer& writer, std::span<const BaseLogprob> logprobs) {
  for (const BaseLogprob& one : logprobs) {
    const std::int64_t changed =
        writer.database().run("UPDATE response SET base_logprob_sum = ? WHERE id = ?", one.sum, one.response);
    if (changed != 1) throw Error(ErrorCode::kNotFound, "there is no response " + std::to_string(one.response.value));
  }
}

}  // namespace cutd
