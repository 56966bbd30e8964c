// The table of ggml tensor types: numbers, names and, for those that are read, block sizes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cutd {

enum class GgmlTypeNumber : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ8_0 = 8,
  kBF16 = 30,
};

struct GgmlType {
  std::uint32_t number;
  const char* name;
  bool readable;  // dequantise() knows it; the sizes are given only then
  std::size_t block_elements;
  std::size_t block_bytes;
};

// nullptr for a number without a row.
const GgmlType* find_ggml_type(std::uint32_t number);

}  // namespace cutd
