// SHA-256, the one content hash of the project: instructions, manifests, adapters, models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

struct CutdSha256;

namespace cutd {

// Streaming digest. Not copyable; one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  // The digest as 64 lower-case hex digits; ends the object's use.
  std::string finish_hex();

 private:
  CutdSha256* state_;
};

std::string sha256_hex(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);  // throws Error (kNotFound, kIo)

// The 64 bytes of the SHA-512, not hex: for CPython's seeds alone (core/python_random.h).
std::string sha512_bytes(std::string_view bytes);

// Hash of an instruction: of the JSON array [instruction, input], so that the pair is unambiguous.
// Held-out sets, training sets and stored instructions all use this one function.
std::string instruction_hash(std::string_view instruction, std::string_view input);

}  // namespace cutd
