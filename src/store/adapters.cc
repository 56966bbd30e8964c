#include "store/adapters.h"

#include "store/rows.h"

namespace cutd {
namespace {

Adapter adapter_of(Statement& row) {
  Adapter adapter;
  adapter.id = {row.integer(0)};
  adapter.hash = row.text(1);
  adapter.folder_hash = row.text(2);
  adapter.kind = store_rows::named<AdapterKind>(row, 3);
  adapter.path = row.text(4);
  adapter.parent = store_rows::optional_id<AdapterId>(row, 5);
  adapter.round = {row.integer(6)};
  adapter.state = store_rows::named<AdapterState>(row, 7);
  adapter.reason = row.text(8);
  adapter.created_at = row.integer(9);
  return adapter;
}

std::string select_adapter(const char* rest) {
  return std::string(
             "SELECT id, hash, folder_hash, kind, path, parent_adapter_id, round_id, state, reason, created_at "
             "FROM adapter ") +
         rest;
}

}  // namespace

AdapterId add_adapter(Writer& writer, const NewAdapter& adapter) {
  if (const auto known = find_adapter(writer, adapter.round, adapter.kind)) {
    const bool equal = known->hash == adapter.hash && known->folder_hash == adapter.folder_hash &&
                       known->path == adapter.path && known->parent == adapter.parent;
    if (equal) return known->id;
    throw Error(ErrorCode::kConflict, "round " + std::to_string(adapter.round.value) + " has another " +
                                          std::string(name_of(adapter.kind)) + " adapter already: " + known->path);
  }
  writer.database().run(
      "INSERT INTO adapter (hash, folder_hash, kind, path, parent_adapter_id, round_id, state, reason, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?, 'verified', '', ?)",
      adapter.hash, adapter.folder_hash, name_of(adapter.kind), adapter.path, adapter.parent, adapter.round,
      writer.now());
  return {writer.database().last_row_id()};
}

void quarantine_adapter(Writer& writer, AdapterId adapter, const std::string& path, const std::string& reason) {
  const std::int64_t in_use = writer.database().integer(
      "SELECT EXISTS (SELECT 1 FROM serving WHERE adapter_id = ?1) OR EXISTS (SELECT 1 FROM round WHERE "
      "parent_adapter_id = ?1)",
      adapter);
  if (in_use != 0) {
    throw Error(ErrorCode::kConflict,
                "adapter " + std::to_string(adapter.value) + " is in use and cannot be put aside");
  }
  const std::int64_t changed = writer.database().run(
      "UPDATE adapter SET state = 'quarantined', path = ?, reason = ? WHERE id = ? AND state = 'verified'", path,
      reason, adapter);
  store_rows::require_one(changed,
                          "adapter " + std::to_string(adapter.value) + " is quarantined already, or not there");
}

void require_base_of_training(Reader& reader, AdapterId id) {
  const auto adapter = find_adapter(reader, id);
  if (adapter && adapter->kind == AdapterKind::kCumulative && adapter->state == AdapterState::kVerified) return;
  throw Error(ErrorCode::kConflict,
              "adapter " + std::to_string(id.value) + " is no verified cumulative adapter: no round can start from it");
}

std::optional<Adapter> find_adapter(Reader& reader, AdapterId id) {
  return reader.database().first(select_adapter("WHERE id = ?"), adapter_of, id);
}

std::optional<Adapter> find_adapter(Reader& reader, RoundId round, AdapterKind kind) {
  return reader.database().first(select_adapter("WHERE round_id = ? AND kind = ? AND state = 'verified'"), adapter_of,
                                 round, name_of(kind));
}

std::vector<Adapter> list_adapters(Reader& reader) {
  return reader.database().all(select_adapter("ORDER BY id"), adapter_of);
}

std::vector<Adapter> list_adapters(Reader& reader, RunId run) {
  return reader.database().all(
      select_adapter("WHERE round_id IN (SELECT round.id FROM round WHERE run_id = ?) ORDER BY id"), adapter_of, run);
}

}  // namespace cutd
