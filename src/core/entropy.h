// Randomness that nobody can guess, for tokens and ids: from the operating system. What must be repeatable comes from
// core/random.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cutd {

// `bytes` random bytes as lower-case hex digits. Throws Error(kIo) when the system has none.
std::string random_hex(std::size_t bytes);

// Uniform in [0, 1).
double random_draw();

// Uniform among the non-negative 63-bit integers.
std::int64_t random_integer();

}  // namespace cutd
