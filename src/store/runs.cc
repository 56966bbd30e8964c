#include "store/runs.h"

#include "store/adapters.h"
#include "store/rows.h"

namespace cutd {
namespace {

Run run_of(Statement& row) {
  Run run;
  run.id = {row.integer(0)};
  run.config = StoredJson(row.text(1));
  run.base_model_hash = row.text(2);
  run.round_count = row.integer(3);
  run.patience = row.integer(4);
  run.budget = row.optional_integer(5);
  run.ends_at = row.optional_integer(6);
  run.state = store_rows::named<RunState>(row, 7);
  run.reason = row.text(8);
  run.created_at = row.integer(9);
  run.updated_at = row.integer(10);
  run.start = store_rows::optional_id<AdapterId>(row, 11);
  run.annotator = {row.integer(12)};
  return run;
}

std::string select_run(const char* rest) {
  return std::string(
             "SELECT id, config, base_model_hash, round_count, patience, budget, ends_at, state, reason, "
             "created_at, updated_at, start_adapter_id, coalesce(json_extract(config, '$.annotator'), 0) FROM run ") +
         rest;
}

bool may_move(RunState from, RunState to) {
  switch (from) {
    case RunState::kActive: return to != RunState::kActive;
    case RunState::kPaused:
    case RunState::kFailed: return to == RunState::kActive || to == RunState::kCancelled;
    case RunState::kCompleted:
    case RunState::kCancelled: return false;
  }
  return false;
}

}  // namespace

RunId create_run(Writer& writer, const NewRun& run) {
  Database& database = writer.database();
  if (run.start) require_base_of_training(writer, *run.start);
  database.run(
      "INSERT INTO run (config, base_model_hash, round_count, patience, budget, ends_at, state, reason, created_at, "
      "updated_at, start_adapter_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'active', '', ?7, ?7, ?8)",
      store_rows::text_of(run.config), run.base_model_hash, run.round_count, run.patience, run.budget, run.ends_at,
      writer.now(), run.start);
  const RunId id{database.last_row_id()};
  for (const InstructionId instruction : run.train) {
    database.run("INSERT INTO run_instruction (run_id, instruction_id) VALUES (?, ?)", id, instruction);
  }
  database.run("INSERT INTO serving (run_id, adapter_id, updated_at) VALUES (?, ?, ?)", id, run.start, writer.now());
  return id;
}

std::optional<Run> find_run(Reader& reader, RunId id) {
  return reader.database().first(select_run("WHERE id = ?"), run_of, id);
}

std::vector<Run> list_runs(Reader& reader) { return reader.database().all(select_run("ORDER BY id"), run_of); }

std::vector<Run> list_runs(Reader& reader, RunState state) {
  return reader.database().all(select_run("WHERE state = ? ORDER BY id"), run_of, name_of(state));
}

void move_run(Writer& writer, RunId run, RunState from, RunState to, const std::string& reason) {
  const std::string move =
      "run " + std::to_string(run.value) + " from " + std::string(name_of(from)) + " to " + std::string(name_of(to));
  if (!may_move(from, to)) throw Error(ErrorCode::kConflict, "cannot move " + move);
  const std::int64_t changed =
      writer.database().run("UPDATE run SET state = ?, reason = ?, updated_at = ? WHERE id = ? AND state = ?",
                            name_of(to), reason, writer.now(), run, name_of(from));
  store_rows::require_one(changed, "cannot move " + move + ": it is in another state, or not there");
}

std::optional<AdapterId> serving_adapter(Reader& reader, RunId run) {
  const auto row = reader.database().first(
      "SELECT adapter_id FROM serving WHERE run_id = ?",
      [](Statement& statement) { return store_rows::optional_id<AdapterId>(statement, 0); }, run);
  if (!row) throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(run.value));
  return *row;
}

}  // namespace cutd
