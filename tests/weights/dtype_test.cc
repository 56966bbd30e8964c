#include "weights/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace cutd {
namespace {

TEST(DTypeTest, NamesRoundTrip) {
  EXPECT_EQ(dtype_from_name("BF16"), DType::kBF16);
  EXPECT_EQ(dtype_from_name("F8_E4M3"), DType::kF8E4M3);
  EXPECT_STREQ(dtype_name(DType::kBool), "BOOL");
  EXPECT_EQ(dtype_from_name("bf16"), std::nullopt);
  EXPECT_EQ(dtype_from_torch_name("torch.bfloat16"), DType::kBF16);
  EXPECT_EQ(dtype_from_torch_name("float32"), DType::kF32);
  EXPECT_EQ(dtype_from_torch_name("auto"), std::nullopt);
}

TEST(DTypeTest, BFloat16RoundsToNearestEven) {
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3F808000U)), 0x3F80);  // tie, even below
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3F818000U)), 0x3F82);  // tie, even above
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x7F7FFFFFU)), 0x7F80);  // largest float: to infinity
  EXPECT_EQ(float_to_bfloat16(-0.0F), 0x8000);
}

TEST(DTypeTest, BFloat16KeepsNaN) {
  const std::uint16_t bits = float_to_bfloat16(std::bit_cast<float>(0x7F800001U));
  EXPECT_TRUE(std::isnan(bfloat16_to_float(bits)));
}

TEST(DTypeTest, EveryHalfSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = half_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
    } else {
      ASSERT_EQ(float_to_half(value), bits) << value;
    }
  }
}

TEST(DTypeTest, HalfMatchesTheCompilersConversion) {
  for (std::uint64_t bits = 0; bits < 0x100000000ULL; bits += 65521) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(value)) continue;
    const _Float16 expected = static_cast<_Float16>(value);
    ASSERT_EQ(float_to_half(value), std::bit_cast<std::uint16_t>(expected)) << std::hexfloat << value;
  }
}

TEST(DTypeTest, ConvertsUnalignedBytes) {
  const std::vector<float> values = {1.5F, -2.0F, 3.25F};
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    std::vector<std::byte> storage(1 + values.size() * dtype_size(dtype));
    const std::span<std::byte> bytes = std::span(storage).subspan(1);
    convert_from_float(dtype, values, bytes);
    std::vector<float> back(values.size());
    convert_to_float(dtype, bytes, back);
    EXPECT_EQ(back, values) << dtype_name(dtype);
  }
}

TEST(DTypeTest, FindsTheFirstValueThatIsNotFinite) {
  std::vector<float> values = {1.0F, std::numeric_limits<float>::max(), -std::numeric_limits<float>::infinity()};
  EXPECT_EQ(find_non_finite(DType::kF32, std::as_bytes(std::span(values))), 2U);
  values[2] = 0;
  EXPECT_EQ(find_non_finite(DType::kF32, std::as_bytes(std::span(values))), std::nullopt);
}

}  // namespace
}  // namespace cutd
