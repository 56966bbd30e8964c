// dequantise(): ggml block formats to fp32. A block is 32 consecutive elements of a row behind its fp16 scale.
#include <array>
#include <cstring>

#include "core/error.h"
#include "weights/dtype.h"
#include "weights/ggml_types.h"
#include "weights/gguf.h"

namespace cutd {
namespace {

constexpr std::size_t kBlock = 32;

float load_half(const std::byte* bytes) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return half_to_float(bits);
}

// struct { half d; int8 q[32]; }: q d
void dequantise_q8_0(const std::byte* block, float* values) {
  const float d = load_half(block);
  for (std::size_t i = 0; i < kBlock; ++i) values[i] = d * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
}

// struct { half d; uint8 q[16]; }: low nibbles are elements 0-15, high ones 16-31; (q - 8) d
void dequantise_q4_0(const std::byte* block, float* values) {
  const float d = load_half(block);
  for (std::size_t i = 0; i < kBlock / 2; ++i) {
    const int pair = static_cast<int>(block[2 + i]);
    values[i] = d * static_cast<float>((pair & 15) - 8);
    values[i + kBlock / 2] = d * static_cast<float>((pair >> 4) - 8);
  }
}

// struct { half d; half m; uint8 q[16]; }: q d + m
void dequantise_q4_1(const std::byte* block, float* values) {
  const float d = load_half(block);
  const float m = load_half(block + 2);
  for (std::size_t i = 0; i < kBlock / 2; ++i) {
    const int pair = static_cast<int>(block[4 + i]);
    values[i] = d * static_cast<float>(pair & 15) + m;
    values[i + kBlock / 2] = d * static_cast<float>(pair >> 4) + m;
  }
}

template <typename BlockFunction>
void for_each_block(std::span<const std::byte> bytes, std::size_t block_bytes, std::span<float> values,
                    BlockFunction function) {
  const std::size_t blocks = values.size() / kBlock;
  for (std::size_t i = 0; i < blocks; ++i) function(bytes.data() + i * block_bytes, values.data() + i * kBlock);
}

}  // namespace

void dequantise(std::uint32_t type, std::span<const std::byte> bytes, std::span<float> values) {
  const GgmlType* row = find_ggml_type(type);
  if (row == nullptr || !row->readable) throw Error(ErrorCode::kBadInput, "cannot dequantise " + ggml_type_name(type));
  if (values.size() % row->block_elements != 0 ||
      bytes.size() != values.size() / row->block_elements * row->block_bytes) {
    throw Error(ErrorCode::kInternal, "dequantise: sizes differ");
  }
  switch (static_cast<GgmlTypeNumber>(type)) {
    case GgmlTypeNumber::kF32: return convert_to_float(DType::kF32, bytes, values);
    case GgmlTypeNumber::kF16: return convert_to_float(DType::kF16, bytes, values);
    case GgmlTypeNumber::kBF16: return convert_to_float(DType::kBF16, bytes, values);
    case GgmlTypeNumber::kQ8_0: return for_each_block(bytes, row->block_bytes, values, dequantise_q8_0);
    case GgmlTypeNumber::kQ4_0: return for_each_block(bytes, row->block_bytes, values, dequantise_q4_0);
    case GgmlTypeNumber::kQ4_1: return for_each_block(bytes, row->block_bytes, values, dequantise_q4_1);
  }
}

}  // namespace cutd
