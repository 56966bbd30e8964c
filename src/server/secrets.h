// Secrets that prove who asks: made at random, kept only as a hash; passwords with libsodium's Argon2id.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

#include "server/http.h"

namespace cutd {

// 128 random bits as 32 hex digits: sessions, login links, leases. `random_token`: "cutd_" and 256 bits.
std::string random_secret();
std::string random_token();

// What the store keeps of a secret.
std::string secret_hash(const std::string& secret);

// What one check of a password costs, and so one guess.
struct PasswordCost {
  unsigned long long operations = 2;  // crypto_pwhash's interactive limits
  std::size_t memory_bytes = 64u << 20;
};

// Thread-safe; one hash at a time, so that many logins cannot take much memory.
class Passwords {
 public:
  explicit Passwords(const PasswordCost& cost);

  // Throws Error(kResource) when the memory is not there.
  std::string hash(const std::string& password);
  // Takes as long for no hash (an unknown name) as for a wrong password.
  bool matches(const std::optional<std::string>& hash, const std::string& password);

 private:
  const PasswordCost cost_;
  std::string hash_locked(const std::string& password) const;

  std::mutex mutex_;
  std::optional<std::string> of_nobody_;  // guarded by mutex_; made when it is first needed
};

// The session cookie. Behind a proxy with HTTPS its name begins with __Host-, which pins it to this host.
std::string session_cookie(const std::string& secret, bool https);
std::string ended_session_cookie(bool https);
std::optional<std::string> session_secret(const Request& request, bool https);

}  // namespace cutd
