// Element types of tensor files and the exact conversions between them. Everything here is little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cutd {

enum class DType {
  kF64,
  kF32,
  kF16,
  kBF16,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kI64,
  kI32,
  kI16,
  kI8,
  kU64,
  kU32,
  kU16,
  kU8,
  kBool
};

const char* dtype_name(DType dtype);  // as safetensors spells it: "BF16"
std::optional<DType> dtype_from_name(std::string_view name);
std::size_t dtype_size(DType dtype);  // bytes of one element

// "float32", "bfloat16", "float16", "float64": the spelling of config.json; with or without "torch.".
std::optional<DType> dtype_from_torch_name(std::string_view name);
const char* dtype_torch_name(DType dtype);

float half_to_float(std::uint16_t bits);
float bfloat16_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat16(float value);  // nearest, ties to even; NaN stays NaN
std::uint16_t float_to_half(float value);      // nearest, ties to even; overflow becomes infinity

// Whether a tensor of this type can be read as fp32 (F64, F32, F16, BF16).
bool is_convertible_to_float(DType dtype);

// Converts bytes.size() / dtype_size(dtype) elements into `values`, which has that many. F64 is rounded once.
void convert_to_float(DType dtype, std::span<const std::byte> bytes, std::span<float> values);

// The other way: `bytes` has values.size() * dtype_size(dtype) bytes; dtype is F32, F16 or BF16.
void convert_from_float(DType dtype, std::span<const float> values, std::span<std::byte> bytes);

// Index of the first NaN or infinity of a floating-point tensor (F64, F32, F16, BF16); nothing when all are
// finite or the type is not one of these.
std::optional<std::size_t> find_non_finite(DType dtype, std::span<const std::byte> bytes);

}  // namespace cutd
