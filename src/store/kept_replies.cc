#include "store/kept_replies.h"

namespace cutd {

std::optional<KeptReply> find_kept_reply(Reader& reader, std::int64_t user, const std::string& key, std::int64_t now) {
  return reader.database().first(
      "SELECT request_hash, status, content_type, body FROM idempotency_key WHERE user_id = ? AND key = ? "
      "AND created_at > ?",
      [](Statement& row) {
        return KeptReply{row.text(0), static_cast<int>(row.integer(1)), row.text(2), row.text(3)};
      },
      user, key, now - kKeptReplyMicros);
}

void keep_reply(Writer& writer, std::int64_t user, const std::string& key, const KeptReply& reply) {
  writer.database().run(
      "DELETE FROM idempotency_key WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency_key "
      "WHERE created_at <= ? ORDER BY created_at LIMIT 20)",
      writer.now() - kKeptReplyMicros);
  writer.database().run(
      "INSERT INTO idempotency_key (user_id, key, request_hash, status, content_type, body, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET request_hash = excluded.request_hash, "
      "status = excluded.status, content_type = excluded.content_type, body = excluded.body, "
      "created_at = excluded.created_at",
      user, key, reply.request_hash, reply.status, reply.content_type, reply.body, writer.now());
}

void forget_begun(Writer& writer, std::int64_t user, const std::string& key) {
  writer.database().run("DELETE FROM idempotency_key WHERE user_id = ? AND key = ? AND status = 0", user, key);
}

}  // namespace cutd
