#include "store/judgments.h"
#include "store/rows.h"

namespace cutd {
namespace {

// The label of a judgment that may train round `round`. The foreign key of manifest_entry refuses every
// other one too, but for another round's; this says which and why.
JudgmentLabel require_trainable(Reader& reader, RoundId round, JudgmentId judgment) {
  const auto found = reader.database().first(
      "SELECT judgment.label FROM judgment JOIN response ON response.id = judgment.response_id "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "WHERE judgment.id = ? AND judgment.validated = 1 AND judgment.split = 'train' AND unit.round_id = ?",
      [](Statement& row) { return store_rows::named<JudgmentLabel>(row, 0); }, judgment, round);
  if (!found) {
    throw Error(ErrorCode::kConflict, "judgment " + std::to_string(judgment.value) +
                                          " is no validated judgment of a training response of round " +
                                          std::to_string(round.value));
  }
  return *found;
}

}  // namespace

ManifestId freeze_manifest(Writer& writer, const NewManifest& manifest) {
  Database& database = writer.database();
  if (find_manifest(writer, manifest.round)) {
    throw Error(ErrorCode::kConflict, "round " + std::to_string(manifest.round.value) + " has its manifest already");
  }
  std::int64_t positives = 0;
  for (const JudgmentId judgment : manifest.judgments) {
    positives += require_trainable(writer, manifest.round, judgment) == JudgmentLabel::kPositive;
  }
  const std::int64_t negatives = static_cast<std::int64_t>(manifest.judgments.size()) - positives;
  database.run(
      "INSERT INTO manifest (round_id, sha256, path, positives, negatives, created_at) VALUES (?, ?, ?, ?, ?, ?)",
      manifest.round, manifest.sha256, manifest.path, positives, negatives, writer.now());
  const ManifestId id{database.last_row_id()};
  std::int64_t position = 0;
  for (const JudgmentId judgment : manifest.judgments) {
    database.run(
        "INSERT INTO manifest_entry (manifest_id, position, judgment_id, split, validated) VALUES (?, ?, ?, 'train', "
        "1)",
        id, position++, judgment);
  }
  return id;
}

std::optional<FrozenManifest> find_manifest(Reader& reader, RoundId round) {
  return reader.database().first(
      "SELECT id, round_id, sha256, path, positives, negatives FROM manifest WHERE round_id = ?",
      [](Statement& row) {
        return FrozenManifest{{row.integer(0)}, {row.integer(1)}, row.text(2),
                              row.text(3),      row.integer(4),   row.integer(5)};
      },
      round);
}

std::vector<JudgmentId> list_manifest_judgments(Reader& reader, ManifestId manifest) {
  return reader.database().all(
      "SELECT judgment_id FROM manifest_entry WHERE manifest_id = ? ORDER BY position",
      [](Statement& row) { return JudgmentId{row.integer(0)}; }, manifest);
}

}  // namespace cutd
