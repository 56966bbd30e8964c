#include "weights/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/error.h"

namespace cutd {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor files are little-endian and read in place");

struct DTypeRow {
  DType dtype;
  const char* name;
  std::size_t size;
  const char* torch_name;
};

constexpr std::array<DTypeRow, 16> kRows = {{
    {DType::kF64, "F64", 8, "float64"},
    {DType::kF32, "F32", 4, "float32"},
    {DType::kF16, "F16", 2, "float16"},
    {DType::kBF16, "BF16", 2, "bfloat16"},
    {DType::kF8E4M3, "F8_E4M3", 1, "float8_e4m3fn"},
    {DType::kF8E5M2, "F8_E5M2", 1, "float8_e5m2"},
    {DType::kF8E8M0, "F8_E8M0", 1, "float8_e8m0fnu"},
    {DType::kI64, "I64", 8, "int64"},
    {DType::kI32, "I32", 4, "int32"},
    {DType::kI16, "I16", 2, "int16"},
    {DType::kI8, "I8", 1, "int8"},
    {DType::kU64, "U64", 8, "uint64"},
    {DType::kU32, "U32", 4, "uint32"},
    {DType::kU16, "U16", 2, "uint16"},
    {DType::kU8, "U8", 1, "uint8"},
    {DType::kBool, "BOOL", 1, "bool"},
}};

const DTypeRow& row_of(DType dtype) {
  for (const DTypeRow& row : kRows) {
    if (row.dtype == dtype) return row;
  }
  throw Error(ErrorCode::kInternal, "element type without a row");
}

// Reads element `index` of unaligned bytes.
template <typename T>
T load(std::span<const std::byte> bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void store(std::span<std::byte> bytes, std::size_t index, T value) {
  std::memcpy(bytes.data() + index * sizeof(T), &value, sizeof(T));
}

[[noreturn]] void throw_no_conversion(DType dtype) {
  throw Error(ErrorCode::kBadInput, std::string("element type ") + dtype_name(dtype) + " does not convert to fp32");
}

}  // namespace

const char* dtype_name(DType dtype) { return row_of(dtype).name; }
const char* dtype_torch_name(DType dtype) { return row_of(dtype).torch_name; }
std::size_t dtype_size(DType dtype) { return row_of(dtype).size; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeRow& row : kRows) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

std::optional<DType> dtype_from_torch_name(std::string_view name) {
  constexpr std::string_view kPrefix = "torch.";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  for (const DTypeRow& row : kRows) {
    if (name == row.torch_name) return row.dtype;
  }
  return std::nullopt;
}

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t mantissa = bits & 0x3FFU;
  if (exponent == 0) {  // zero and subnormals: mantissa x 2^-24, exact in fp32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide_exponent = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

float bfloat16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t float_to_bfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  // A NaN whose payload lies in the dropped bits would round to infinity: set the quiet bit instead.
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return sign | 0x7E00U;
  if (magnitude >= 0x477FF000U) return sign | 0x7C00U;  // 65520 and above round to infinity
  if (magnitude < 0x38800000U) {                        // below 2^-14: the unit is 2^-24
    const float units = std::bit_cast<float>(magnitude) * 0x1p24F;
    return sign | static_cast<std::uint16_t>(std::nearbyint(units));
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
  return sign | static_cast<std::uint16_t>((rounded - 0x38000000U) >> 13);
}

bool is_convertible_to_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF64;
}

void convert_to_float(DType dtype, std::span<const std::byte> bytes, std::span<float> values) {
  if (bytes.size() != values.size() * dtype_size(dtype)) {
    throw Error(ErrorCode::kInternal, "convert_to_float: sizes differ");
  }
  const std::size_t count = values.size();
  switch (dtype) {
    case DType::kF32:
      if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
      return;
    case DType::kF16:
      for (std::size_t i = 0; i < count; ++i) values[i] = half_to_float(load<std::uint16_t>(bytes, i));
      return;
    case DType::kBF16:
      for (std::size_t i = 0; i < count; ++i) values[i] = bfloat16_to_float(load<std::uint16_t>(bytes, i));
      return;
    case DType::kF64:
      for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(load<double>(bytes, i));
      return;
    default: throw_no_conversion(dtype);
  }
}

void convert_from_float(DType dtype, std::span<const float> values, std::span<std::byte> bytes) {
  if (bytes.size() != values.size() * dtype_size(dtype)) {
    throw Error(ErrorCode::kInternal, "convert_from_float: sizes differ");
  }
  const std::size_t count = values.size();
  switch (dtype) {
    case DType::kF32:
      if (count > 0) std::memcpy(bytes.data(), values.data(), bytes.size());
      return;
    case DType::kF16:
      for (std::size_t i = 0; i < count; ++i) store(bytes, i, float_to_half(values[i]));
      return;
    case DType::kBF16:
      for (std::size_t i = 0; i < count; ++i) store(bytes, i, float_to_bfloat16(values[i]));
      return;
    default: throw_no_conversion(dtype);
  }
}

std::optional<std::size_t> find_non_finite(DType dtype, std::span<const std::byte> bytes) {
  const auto first_where = [&](auto sample, auto exponent_mask) -> std::optional<std::size_t> {
    using Bits = decltype(sample);
    const std::size_t count = bytes.size() / sizeof(Bits);
    for (std::size_t i = 0; i < count; ++i) {
      if ((load<Bits>(bytes, i) & exponent_mask) == exponent_mask) return i;
    }
    return std::nullopt;
  };
  switch (dtype) {
    case DType::kF64: return first_where(std::uint64_t{}, std::uint64_t{0x7FF0000000000000U});
    case DType::kF32: return first_where(std::uint32_t{}, std::uint32_t{0x7F800000U});
    case DType::kF16: return first_where(std::uint16_t{}, std::uint16_t{0x7C00U});
    case DType::kBF16: return first_where(std::uint16_t{}, std::uint16_t{0x7F80U});
    default: return std::nullopt;
  }
}

}  // namespace cutd
