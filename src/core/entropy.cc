#include "core/entropy.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "core/error.h"

namespace cutd {
namespace {

void fill(unsigned char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::getrandom(bytes, count, 0);
    if (got < 0 && errno != EINTR) throw_errno("getrandom");
    if (got < 0) continue;
    bytes += got;
    count -= static_cast<std::size_t>(got);
  }
}

}  // namespace

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  fill(random.data(), bytes);
  std::string text;
  for (const unsigned char byte : random) text += fmt::format("{:02x}", byte);
  return text;
}

std::int64_t random_integer() {
  std::uint64_t value = 0;
  fill(reinterpret_cast<unsigned char*>(&value), sizeof value);
  return static_cast<std::int64_t>(value >> 1);
}

double random_draw() { return static_cast<double>(random_integer() >> 10) / static_cast<double>(1LL << 53); }

}  // namespace cutd
