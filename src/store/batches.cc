#include "store/batches.h"

#include "store/rows.h"

namespace cutd {
namespace {

std::vector<BatchAttempt> open_attempts(Database& database, BatchRowId batch) {
  return database.all(
      "SELECT id, judgment_id, number FROM judge_attempt WHERE batch_id = ? AND state = 'intent' ORDER BY id",
      [](Statement& row) {
        return BatchAttempt{{row.integer(0)}, {row.integer(1)}, row.integer(2)};
      },
      batch);
}

BatchRowId open_batch(Database& database, const std::string& name) {
  const auto id = database.first(
      "SELECT id FROM judge_batch WHERE name = ? AND state IN ('intent', 'created')",
      [](Statement& row) { return BatchRowId{row.integer(0)}; }, name);
  if (!id) throw Error(ErrorCode::kConflict, "batch " + name + " is not open");
  return *id;
}

void end_batch(Writer& writer, BatchRowId batch, const char* state, const std::string& reason) {
  writer.database().run("UPDATE judge_batch SET state = ?, reason = ?, ended_at = ? WHERE id = ?", state, reason,
                        writer.now(), batch);
}

}  // namespace

BatchRowId add_batch(Writer& writer, const std::string& annotator, const std::string& name) {
  writer.database().run("INSERT INTO judge_batch (annotator, name, state, created_at) VALUES (?, ?, 'intent', ?)",
                        annotator, name, writer.now());
  return {writer.database().last_row_id()};
}

void put_into_batch(Writer& writer, BatchRowId batch, AttemptRowId attempt) {
  writer.database().run("UPDATE judge_attempt SET batch_id = ? WHERE id = ?", batch, attempt);
}

void batch_created(Writer& writer, const std::string& name, const std::string& provider_id) {
  store_rows::require_one(
      writer.database().run(
          "UPDATE judge_batch SET state = 'created', provider_id = ? WHERE name = ? AND state = 'intent'", provider_id,
          name),
      "batch " + name + " is not waiting for its creation");
}

void batch_done(Writer& writer, const std::string& name) {
  end_batch(writer, open_batch(writer.database(), name), "done", "");
}

void batch_failed(Writer& writer, const std::string& name, const std::string& reason) {
  const BatchRowId batch = open_batch(writer.database(), name);
  for (const BatchAttempt& one : open_attempts(writer.database(), batch)) fail_attempt(writer, one.attempt, 0, reason);
  end_batch(writer, batch, "failed", reason);
}

std::vector<Batch> list_open_batches(Reader& reader, const std::string& annotator) {
  std::vector<Batch> batches = reader.database().all(
      "SELECT id, name, provider_id, created_at FROM judge_batch WHERE annotator = ? "
      "AND state IN ('intent', 'created') ORDER BY id",
      [](Statement& row) {
        Batch batch;
        batch.id = {row.integer(0)};
        batch.name = row.text(1);
        if (!row.is_null(2)) batch.provider_id = row.text(2);
        batch.created_at = row.integer(3);
        return batch;
      },
      annotator);
  for (Batch& batch : batches) batch.attempts = open_attempts(reader.database(), batch.id);
  return batches;
}

}  // namespace cutd
