#include "server/secrets.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/hash.h"

namespace cutd {
namespace {

void start_sodium() {
  if (sodium_init() < 0) throw Error(ErrorCode::kInternal, "libsodium cannot start");
}

template <std::size_t Bytes>
std::string random_hex() {
  start_sodium();
  std::array<unsigned char, Bytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::string text(2 * Bytes + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

std::string cookie_name(bool https) { return https ? "__Host-cutd_session" : "cutd_session"; }

}  // namespace

std::string random_secret() { return random_hex<16>(); }
std::string random_token() { return "cutd_" + random_hex<32>(); }

std::string secret_hash(const std::string& secret) { return sha256_hex("cutd secret\n" + secret); }

Passwords::Passwords(const PasswordCost& cost) : cost_(cost) { start_sodium(); }

Passwords::Turn::Turn(Passwords& passwords) : passwords_(passwords) {
  if (!passwords_.turns_.try_acquire()) throw PasswordsBusy();
}

Passwords::Turn::~Turn() { passwords_.turns_.release(); }

std::string Passwords::hash(const std::string& password) {
  const Turn turn(*this);
  return make_hash(password);
}

std::string Passwords::make_hash(const std::string& password) const {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str(text.data(), password.data(), password.size(), cost_.operations, cost_.memory_bytes) != 0) {
    throw Error(ErrorCode::kResource, "there is no memory to hash a password");
  }
  return text.data();
}

bool Passwords::matches(const std::optional<std::string>& hash, const std::string& password) {
  const Turn turn(*this);
  std::call_once(nobody_made_, [this] { of_nobody_ = make_hash(random_secret()); });
  const std::string& text = hash ? *hash : of_nobody_;
  return crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0 && hash.has_value();
}

std::string session_cookie(const std::string& secret, bool https) {
  return cookie_name(https) + "=" + secret + "; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict" +
         (https ? "; Secure" : "");
}

std::string ended_session_cookie(bool https) {
  return cookie_name(https) + "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" + (https ? "; Secure" : "");
}

std::optional<std::string> session_secret(const Request& request, bool https) {
  const auto header = request.headers.find("cookie");
  if (header == request.headers.end()) return std::nullopt;
  const std::string wanted = cookie_name(https) + "=";
  std::string_view rest = header->second;
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.starts_with(wanted)) return std::string(pair.substr(wanted.size()));
  }
  return std::nullopt;
}

}  // namespace cutd
