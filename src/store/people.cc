#include "store/people.h"

#include "store/queue_settle.h"
#include "store/rows.h"

namespace cutd {
namespace {

constexpr const char* kUserColumns =
    "SELECT id, name, role, tags, password_hash IS NOT NULL, revoked_at IS NOT NULL, created_at, last_seen_at FROM "
    "user ";

std::string user_query(const char* condition) { return std::string(kUserColumns) + condition; }

User user_of(Statement& row) {
  User user;
  user.id = UserId{row.integer(0)};
  user.name = row.text(1);
  user.role = store_rows::named<Role>(row, 2);
  user.tags = store_rows::json(row, 3).get<std::vector<std::string>>();
  user.has_password = row.integer(4) != 0;
  user.revoked = row.integer(5) != 0;
  user.created_at = row.integer(6);
  user.last_seen_at = row.optional_integer(7);
  return user;
}

Proof proof_of(Statement& row) {
  return {UserId{row.integer(0)}, row.text(1), store_rows::named<Role>(row, 2), row.optional_integer(3).value_or(0),
          row.optional_integer(4).value_or(0)};
}

std::size_t characters(const std::string& text) {
  std::size_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

}  // namespace

bool is_user_name(const std::string& name) {
  const std::size_t length = characters(name);
  bool plain = length >= 1 && length <= 64 && name.front() != ' ' && name.back() != ' ';
  for (const char byte : name) plain = plain && static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7F;
  return plain;
}

UserId add_user(Writer& writer, const NewUser& user) {
  if (!is_user_name(user.name)) {
    throw Error(ErrorCode::kBadInput,
                "a user's name has 1 to 64 characters, none of them a control character, no space at its ends");
  }
  if (find_user(writer, user.name)) throw Error(ErrorCode::kConflict, "there is a user \"" + user.name + "\" already");
  writer.database().run("INSERT INTO user (name, role, tags, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
                        user.name, name_of(user.role), store_rows::text_of(Json(user.tags)), user.password_hash,
                        writer.now());
  return UserId{writer.database().last_row_id()};
}

std::vector<User> list_users(Reader& reader) { return reader.database().all(user_query("ORDER BY id"), user_of); }

std::optional<User> find_user(Reader& reader, UserId id) {
  return reader.database().first(user_query("WHERE id = ?"), user_of, id);
}

std::optional<User> find_user(Reader& reader, const std::string& name) {
  return reader.database().first(user_query("WHERE name = ?"), user_of, name);
}

std::optional<std::string> find_password_hash(Reader& reader, const std::string& name) {
  return reader.database().first(
      "SELECT password_hash FROM user WHERE name = ? AND password_hash IS NOT NULL AND revoked_at IS NULL",
      [](Statement& row) { return row.text(0); }, name);
}

void set_password(Writer& writer, UserId user, const std::string& password_hash, const std::string& kept_secret_hash) {
  store_rows::require_one(writer.database().run("UPDATE user SET password_hash = ? WHERE id = ? AND revoked_at IS NULL",
                                                password_hash, user),
                          "the account is revoked");
  writer.database().run("DELETE FROM session WHERE user_id = ? AND secret_hash <> ?", user, kept_secret_hash);
}

void revoke_user(Writer& writer, UserId user) {
  if (!find_user(writer, user)) throw Error(ErrorCode::kNotFound, "there is no user " + std::to_string(user.value));
  Database& database = writer.database();
  database.run("UPDATE user SET revoked_at = coalesce(revoked_at, ?), password_hash = NULL WHERE id = ?", writer.now(),
               user);
  database.run("DELETE FROM session WHERE user_id = ?", user);
  database.run("DELETE FROM login_link WHERE user_id = ?", user);
  database.run("UPDATE token SET revoked_at = coalesce(revoked_at, ?) WHERE user_id = ?", writer.now(), user);
  queue_detail::give_back_live(writer, user);
  queue_detail::review_where_nobody_is_left(writer);
}

void erase_user(Writer& writer, UserId user) {
  revoke_user(writer, user);
  Database& database = writer.database();
  database.run("UPDATE user SET name = 'erased-' || id, tags = '[]', last_seen_at = NULL WHERE id = ?", user);
  database.run("UPDATE token SET name = 'erased' WHERE user_id = ?", user);
  database.run("DELETE FROM idempotency_key WHERE user_id = ?", user);
}

void add_session(Writer& writer, UserId user, const std::string& secret_hash) {
  writer.database().run(
      "INSERT INTO session (user_id, secret_hash, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?)", user,
      secret_hash, writer.now(), writer.now(), writer.now() + kSessionMicros);
  writer.database().run("UPDATE user SET last_seen_at = ? WHERE id = ?", writer.now(), user);
}

std::optional<Proof> find_session(Reader& reader, const std::string& secret_hash, std::int64_t now) {
  return reader.database().first(
      "SELECT user.id, user.name, user.role, session.expires_at, session.seen_at FROM session "
      "JOIN user ON user.id = session.user_id WHERE session.secret_hash = ? AND user.revoked_at IS NULL "
      "AND session.expires_at > ? AND session.seen_at > ?",
      proof_of, secret_hash, now, now - kSessionIdleMicros);
}

void touch_session(Writer& writer, const std::string& secret_hash) {
  writer.database().run("UPDATE session SET seen_at = ? WHERE secret_hash = ?", writer.now(), secret_hash);
  writer.database().run(
      "UPDATE user SET last_seen_at = ? WHERE id = (SELECT user_id FROM session WHERE secret_hash = ?)", writer.now(),
      secret_hash);
}

void end_session(Writer& writer, const std::string& secret_hash) {
  writer.database().run("DELETE FROM session WHERE secret_hash = ?", secret_hash);
}

std::int64_t add_login_link(Writer& writer, UserId user, const std::string& secret_hash) {
  const auto found = find_user(writer, user);
  if (!found) throw Error(ErrorCode::kNotFound, "there is no user " + std::to_string(user.value));
  if (found->revoked) throw Error(ErrorCode::kConflict, "the account of \"" + found->name + "\" is revoked");
  const std::int64_t expires_at = writer.now() + kLoginLinkMicros;
  writer.database().run("INSERT INTO login_link (user_id, secret_hash, created_at, expires_at) VALUES (?, ?, ?, ?)",
                        user, secret_hash, writer.now(), expires_at);
  return expires_at;
}

std::optional<UserId> use_login_link(Writer& writer, const std::string& secret_hash) {
  return writer.database().first(
      "UPDATE login_link SET used_at = ? WHERE secret_hash = ? AND used_at IS NULL AND expires_at > ? "
      "AND (SELECT revoked_at FROM user WHERE user.id = user_id) IS NULL RETURNING user_id",
      [](Statement& row) { return UserId{row.integer(0)}; }, writer.now(), secret_hash, writer.now());
}

std::int64_t add_token(Writer& writer, UserId user, const std::string& name, const std::string& secret_hash,
                       std::optional<std::int64_t> expires_at) {
  const auto found = find_user(writer, user);
  if (!found) throw Error(ErrorCode::kNotFound, "there is no user " + std::to_string(user.value));
  if (found->revoked) throw Error(ErrorCode::kConflict, "the account of \"" + found->name + "\" is revoked");
  writer.database().run("INSERT INTO token (user_id, name, secret_hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                        user, name, secret_hash, writer.now(), expires_at);
  return writer.database().last_row_id();
}

std::vector<Token> list_tokens(Reader& reader, UserId user) {
  return reader.database().all(
      "SELECT id, name, created_at, expires_at, last_used_at, revoked_at IS NOT NULL FROM token WHERE user_id = ? "
      "ORDER BY id",
      [](Statement& row) {
        return Token{row.integer(0),          row.text(1),        row.integer(2), row.optional_integer(3),
                     row.optional_integer(4), row.integer(5) != 0};
      },
      user);
}

std::optional<Proof> find_token(Reader& reader, const std::string& secret_hash, std::int64_t now) {
  return reader.database().first(
      "SELECT user.id, user.name, user.role, token.expires_at, token.last_used_at FROM token "
      "JOIN user ON user.id = token.user_id WHERE token.secret_hash = ? AND token.revoked_at IS NULL "
      "AND user.revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > ?)",
      proof_of, secret_hash, now);
}

void touch_token(Writer& writer, const std::string& secret_hash) {
  writer.database().run("UPDATE token SET last_used_at = ? WHERE secret_hash = ?", writer.now(), secret_hash);
  writer.database().run("UPDATE user SET last_seen_at = ? WHERE id = (SELECT user_id FROM token WHERE secret_hash = ?)",
                        writer.now(), secret_hash);
}

void revoke_token(Writer& writer, std::int64_t id) {
  const std::int64_t changed =
      writer.database().run("UPDATE token SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", writer.now(), id);
  if (changed != 1) throw Error(ErrorCode::kNotFound, "there is no token " + std::to_string(id));
}

void sweep_people(Writer& writer) {
  const std::int64_t now = writer.now();
  writer.database().run("DELETE FROM session WHERE expires_at < ? OR seen_at < ?", now, now - kSessionIdleMicros);
  writer.database().run("DELETE FROM login_link WHERE expires_at < ?", now);
}

}  // namespace cutd
