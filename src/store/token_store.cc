#include "store/token_store.h"

#include "store/rows.h"

namespace cutd {

std::vector<std::int64_t> read_response_ids(Reader& reader, ResponseId response) {
  auto ids = reader.database().first(
      "SELECT ids FROM response WHERE id = ?", [](Statement& row) { return store_rows::ids(row, 0); }, response);
  if (!ids) throw Error(ErrorCode::kNotFound, "there is no response " + std::to_string(response.value));
  return std::move(*ids);
}

std::optional<Json> find_tokens(Reader& reader, JudgmentId judgment, const std::string& judgment_hash) {
  return reader.database().first(
      "SELECT tokens FROM response_tokens WHERE judgment_id = ? AND judgment_hash = ?",
      [](Statement& row) { return store_rows::json(row, 0); }, judgment, judgment_hash);
}

void keep_tokens(Writer& writer, JudgmentId judgment, const std::string& judgment_hash, const Json& tokens) {
  writer.database().run(
      "INSERT INTO response_tokens (judgment_id, judgment_hash, tokens, created_at) VALUES (?, ?, ?, ?) "
      "ON CONFLICT DO UPDATE SET judgment_hash = excluded.judgment_hash, tokens = excluded.tokens, "
      "created_at = excluded.created_at",
      judgment, judgment_hash, store_rows::text_of(tokens), writer.now());
}

}  // namespace cutd
