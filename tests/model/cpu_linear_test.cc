#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "model/cpu_kernels.h"

namespace cutd {
namespace {

template <typename T>
T stored(float value);
template <>
float stored<float>(float value) {
  return value;
}
template <>
Bfloat16 stored<Bfloat16>(float value) {  // of what bfloat16 holds exactly
  return {static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16)};
}

struct ProductShape {
  std::int64_t outs, rows, depth;
};

// Less and more than a tile, a register, a block of rows and one of depth of any level; odd numbers; whole ones.
const std::vector<ProductShape> kShapes = {{1, 1, 1},     {16, 1, 64},   {17, 1, 33},    {64, 2, 31},   {40, 3, 77},
                                           {128, 4, 576}, {16, 4, 2079}, {33, 5, 2049},  {16, 16, 576}, {16, 17, 64},
                                           {5, 63, 40},   {48, 64, 96},  {30, 131, 130}, {16, 70, 4100}};

// Random weights and inputs with three more elements in each row than are multiplied, and nothing a product may read
// beyond the last one.
template <typename T>
struct ProductCase {
  explicit ProductCase(const ProductShape& shape_) : shape(shape_), stride(shape_.depth + 3) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> real(-1, 1);
    const auto number = [&] {  // that bfloat16 holds exactly, while sums of such products round
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(real(random)) & 0xFFFF0000U);
    };
    const auto fill = [&](std::vector<float>& values, std::vector<T>& kept, std::int64_t rows) {
      for (std::int64_t i = 0; i < (rows - 1) * stride + shape.depth; ++i) {
        const bool between = i % stride >= shape.depth;
        values.push_back(between ? std::nanf("") : number());
        kept.push_back(stored<T>(values.back()));
      }
    };
    fill(weights, kept_weights, shape.outs);
    fill(inputs, kept_inputs, shape.rows);
  }

  // Rows [first, first + count) of the product, with as many elements after each that must stay 99.
  std::vector<float> product(CpuLevel level, std::int64_t first, std::int64_t count) const {
    std::vector<float> out(static_cast<std::size_t>(count * out_stride()), 99.0F);
    cpu_kernels<T>(level).linear({kept_weights.data(), stride}, shape.outs,
                                 {kept_inputs.data() + first * stride, stride}, count, shape.depth, out.data(),
                                 out_stride());
    return out;
  }
  std::int64_t out_stride() const { return shape.outs + 5; }

  ProductShape shape;
  std::int64_t stride;
  std::vector<float> weights, inputs;
  std::vector<T> kept_weights, kept_inputs;
};

template <typename T>
class CpuLinearTest : public testing::Test {};
using Types = testing::Types<float, Bfloat16>;
TYPED_TEST_SUITE(CpuLinearTest, Types);

TYPED_TEST(CpuLinearTest, IsTheProductAtEveryLevel) {
  for (const ProductShape& shape : kShapes) {
    const ProductCase<TypeParam> example(shape);
    for (const CpuLevel level : available_cpu_levels()) {
      SCOPED_TRACE(testing::Message() << cpu_level_name(level) << ": " << shape.outs << " outputs, " << shape.rows
                                      << " rows, depth " << shape.depth);
      const std::vector<float> out = example.product(level, 0, shape.rows);
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(out.size()); ++i) {
        const std::int64_t m = i / example.out_stride(), n = i % example.out_stride();
        if (n >= shape.outs) {
          ASSERT_EQ(out[static_cast<std::size_t>(i)], 99.0F) << "beyond row " << m;
          continue;
        }
        double sum = 0, size = 0;
        for (std::int64_t k = 0; k < shape.depth; ++k) {
          const double term = static_cast<double>(example.weights[static_cast<std::size_t>(n * example.stride + k)]) *
                              example.inputs[static_cast<std::size_t>(m * example.stride + k)];
          sum += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(out[static_cast<std::size_t>(i)], sum, 1e-6 * size) << "row " << m << ", output " << n;
      }
    }
  }
}

TYPED_TEST(CpuLinearTest, ARowHasTheSameBitsInAnyCompany) {
  for (const ProductShape& shape : kShapes) {
    const ProductCase<TypeParam> example(shape);
    for (const CpuLevel level : available_cpu_levels()) {
      SCOPED_TRACE(testing::Message() << cpu_level_name(level) << ": " << shape.outs << " outputs, " << shape.rows
                                      << " rows, depth " << shape.depth);
      const std::vector<float> all = example.product(level, 0, shape.rows);
      for (const std::int64_t together : {1, 2, 5, 20}) {
        for (std::int64_t m = 0; m + together <= shape.rows; m += together) {
          const std::vector<float> some = example.product(level, m, together);
          const auto from = all.begin() + m * example.out_stride();
          ASSERT_TRUE(std::equal(some.begin(), some.end(), from))
              << "rows from " << m << ", " << together << " together";
        }
      }
    }
  }
}

}  // namespace
}  // namespace cutd
