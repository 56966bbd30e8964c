#include "model/matrix_product.h"

#include <gtest/gtest.h>

#include <string>

#include "model/cpu_level.h"

namespace cutd {
namespace {

using matrix_product::Path;

double largest_error(const at::Tensor& value, const at::Tensor& exact) {
  return (value.to(at::kDouble) - exact).abs().max().item<double>();
}

class MatrixProductTest : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  MatrixProductTest() { at::manual_seed(5); }

  at::Tensor random(at::IntArrayRef sizes) const { return at::randn(sizes).to(GetParam()); }
  // One rounding of a result of about ten, and sums in fp32.
  double tolerance() const { return GetParam() == at::kFloat ? 2e-5 : 0.08; }
};

TEST_P(MatrixProductTest, BothPathsMultiplyWhatIsTransposedOrAPart) {
  const at::Tensor a = random({23, 37});
  const at::Tensor b = random({19, 37});
  const at::Tensor exact = at::mm(a.to(at::kDouble), b.to(at::kDouble).t());
  for (const Path path : {Path::kDirect, Path::kWidened}) {
    at::Tensor whole = at::full({23, 19}, 7, GetParam());
    matrix_product::multiply(a, b.t(), whole, path);
    EXPECT_LT(largest_error(whole, exact), tolerance());
    const at::Tensor wide = at::full({23, 40}, 7, GetParam());
    at::Tensor part = wide.narrow(1, 10, 19);
    matrix_product::multiply(a, b.t(), part, path);
    EXPECT_LT(largest_error(part, exact), tolerance());
    EXPECT_TRUE(wide.narrow(1, 0, 10).eq(7).all().item<bool>()) << "beside the part nothing is written";
    EXPECT_TRUE(wide.narrow(1, 29, 11).eq(7).all().item<bool>()) << "beside the part nothing is written";
    EXPECT_EQ(matrix_product::product(a, b.t(), path).scalar_type(), GetParam());
  }
}

TEST_P(MatrixProductTest, BothPathsAddToSumsOfTheirTypeAndOfFp32) {
  const at::Tensor a = random({37, 23});
  const at::Tensor b = random({37, 19});
  const at::Tensor exact = 1 + 0.5 * at::mm(a.to(at::kDouble).t(), b.to(at::kDouble));
  for (const Path path : {Path::kDirect, Path::kWidened}) {
    for (const at::ScalarType type : {GetParam(), at::kFloat}) {
      const at::Tensor sum = at::ones({23, 19}, type);
      matrix_product::add_product(a.t(), b, 0.5, sum, path);
      EXPECT_LT(largest_error(sum, exact), tolerance());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MatrixProductTest, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& type) { return std::string(at::toString(type.param)); });

TEST(MatrixProductPathTest, TheWidenedSumOfBfloat16IsRoundedOnce) {
  // Around 1 the next number is 1 + 2^-7. Rounded after each addition of 2^-8, the sum would stay 1.
  const at::Tensor a = at::tensor({1.0F, 0.00390625F, 0.00390625F}).to(at::kBFloat16).view({1, 3});
  const at::Tensor b = at::ones({3, 1}, at::kBFloat16);
  EXPECT_EQ(matrix_product::product(a, b, Path::kWidened).item<double>(), 1.0078125);
}

TEST(MatrixProductPathTest, OnlyBfloat16OnAnOldCpuIsWidened) {
  EXPECT_EQ(matrix_product::path_for(at::kFloat, at::kCPU), Path::kDirect);
  EXPECT_EQ(matrix_product::path_for(at::kBFloat16, at::Device(at::kCUDA, 0)), Path::kDirect);
#if defined(__x86_64__)
  const Path expected = best_cpu_level() < CpuLevel::kAvx512 ? Path::kWidened : Path::kDirect;
  EXPECT_EQ(matrix_product::path_for(at::kBFloat16, at::kCPU), expected);
#endif
}

}  // namespace
}  // namespace cutd
