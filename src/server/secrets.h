// Secrets that prove who asks: made at random, kept only as a hash; passwords with libsodium's Argon2id.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>

#include "core/error.h"
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

// All turns are taken: come again in a second.
class PasswordsBusy : public Error {
 public:
  PasswordsBusy() : Error(ErrorCode::kUnavailable, "other passwords are being checked; ask again in a second") {}
};

// Thread-safe. A hash takes a processor and much memory for a tenth of a second, and everybody may ask for one: so many
// are made at once and no more, and nobody waits for a turn, so that guesses take neither the memory nor the threads
// that other requests need.
class Passwords {
 public:
  static constexpr int kAtOnce = 2;

  // Leave to work on a password. Throws PasswordsBusy.
  class Turn {
   public:
    explicit Turn(Passwords& passwords);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Passwords& passwords_;
  };

  explicit Passwords(const PasswordCost& cost);

  // Both take a turn. Throw PasswordsBusy, and Error(kResource) when the memory is not there.
  std::string hash(const std::string& password);
  // Takes as long for no hash (an unknown name) as for a wrong password.
  bool matches(const std::optional<std::string>& hash, const std::string& password);

 private:
  std::string make_hash(const std::string& password) const;

  const PasswordCost cost_;
  std::counting_semaphore<kAtOnce> turns_{kAtOnce};
  std::once_flag nobody_made_;
  std::string of_nobody_;  // constant once nobody_made_
};

// The session cookie. Behind a proxy with HTTPS its name begins with __Host-, which pins it to this host.
std::string session_cookie(const std::string& secret, bool https);
std::string ended_session_cookie(bool https);
std::optional<std::string> session_secret(const Request& request, bool https);

}  // namespace cutd
