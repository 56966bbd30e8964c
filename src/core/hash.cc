#include "core/hash.h"

#include <array>
#include <fstream>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "native/cutd_native.h"

namespace cutd {

Sha256::Sha256() : state_(cutd_sha256_new()) {}

Sha256::~Sha256() {
  if (state_ != nullptr) cutd_sha256_free(state_);
}

void Sha256::update(std::string_view bytes) {
  cutd_sha256_update(state_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string Sha256::finish_hex() {
  std::array<std::uint8_t, 32> digest;
  cutd_sha256_finish(state_, digest.data());
  state_ = nullptr;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (const std::uint8_t byte : digest) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish_hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_errno("cannot open " + path.string());
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update({buffer.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.bad()) throw_errno("cannot read " + path.string());
  return hash.finish_hex();
}

std::string sha512_bytes(std::string_view bytes) {
  std::string digest(64, '\0');
  cutd_sha512(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
              reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

std::string instruction_hash(std::string_view instruction, std::string_view input) {
  return sha256_hex(Json::array({instruction, input}).dump());
}

}  // namespace cutd
