// Accounts, and what proves them: sessions, tokens, login links. Secrets come in hashed; nothing here can tell one.
// Times are wall-clock microseconds: a clock that jumps ahead ends sessions early, never prolongs a revoked one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct User {
  UserId id;
  std::string name;
  Role role = Role::kViewer;
  std::vector<std::string> tags;  // queue items with tags go to people who have one of them
  bool has_password = false;
  bool revoked = false;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> last_seen_at;
};

struct NewUser {
  std::string name;
  Role role = Role::kViewer;
  std::optional<std::string> password_hash;
  std::vector<std::string> tags;
};

// Error(kConflict) when the name is taken (upper and lower case are one), kBadInput when it is empty, longer than
// 64 characters or holds control characters.
UserId add_user(Writer& writer, const NewUser& user);
bool is_user_name(const std::string& name);    // whether an account may be called so
std::vector<User> list_users(Reader& reader);  // by id
std::optional<User> find_user(Reader& reader, UserId id);
std::optional<User> find_user(Reader& reader, const std::string& name);

// The hash of a live account's password; none: no such account, no password, or revoked.
std::optional<std::string> find_password_hash(Reader& reader, const std::string& name);
// Ends the account's sessions but the one with `kept_secret_hash`.
void set_password(Writer& writer, UserId user, const std::string& password_hash, const std::string& kept_secret_hash);

// Ends sessions, links, tokens and leases; the account lets nobody in any more. Error(kNotFound).
void revoke_user(Writer& writer, UserId user);

// Revokes it and forgets whose it was: name, tags, names of tokens, when it was seen, kept replies. What the account
// judged stays, and counts, as the work of "erased-ID". Older backups still hold the name. Error(kNotFound).
void erase_user(Writer& writer, UserId user);

// Who a secret stands for now: a live account, not expired, not idle for too long.
struct Proof {
  UserId user;
  std::string name;
  Role role = Role::kViewer;
  std::int64_t expires_at = 0;  // 0: never
  std::int64_t seen_at = 0;
};

constexpr std::int64_t kSessionIdleMicros = 8LL * 3600 * 1'000'000;
constexpr std::int64_t kSessionMicros = 7LL * 24 * 3600 * 1'000'000;
constexpr std::int64_t kLoginLinkMicros = 24LL * 3600 * 1'000'000;

void add_session(Writer& writer, UserId user, const std::string& secret_hash);
std::optional<Proof> find_session(Reader& reader, const std::string& secret_hash, std::int64_t now);
// Notes that session and account were seen now. Harmless when it has ended.
void touch_session(Writer& writer, const std::string& secret_hash);
void end_session(Writer& writer, const std::string& secret_hash);

std::int64_t add_login_link(Writer& writer, UserId user, const std::string& secret_hash);  // when it expires
// Uses it up; none when it is unknown, used or expired, or its account is revoked.
std::optional<UserId> use_login_link(Writer& writer, const std::string& secret_hash);

struct Token {
  std::int64_t id = 0;
  std::string name;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> expires_at;
  std::optional<std::int64_t> last_used_at;
  bool revoked = false;
};

std::int64_t add_token(Writer& writer, UserId user, const std::string& name, const std::string& secret_hash,
                       std::optional<std::int64_t> expires_at);
std::vector<Token> list_tokens(Reader& reader, UserId user);  // by id
std::optional<Proof> find_token(Reader& reader, const std::string& secret_hash, std::int64_t now);
void touch_token(Writer& writer, const std::string& secret_hash);
void revoke_token(Writer& writer, std::int64_t id);  // Error(kNotFound)

// Removes what ended long ago: expired sessions and links.
void sweep_people(Writer& writer);

}  // namespace cutd
