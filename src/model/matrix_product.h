// The matrix products of the training pass: ATen's, or ATen's fp32 ones around bfloat16 operands.
//
// ATen multiplies bfloat16 matrices through oneDNN, which wants AVX-512; on an x86 CPU without it ATen multiplies
// number by number, about twenty times slower than fp32. There the operands are widened, multiplied in fp32 and the
// result rounded once, which is what oneDNN computes, too.
#pragma once

#include <ATen/ATen.h>

namespace cutd::matrix_product {

enum class Path {
  kDirect,   // ATen's product of the operands' own type
  kWidened,  // of their fp32 copies; needs that much memory for as long as it lasts
};

// The faster path for operands of this type on this device.
Path path_for(at::ScalarType dtype, const at::Device& device);

// out = a b. a: [m, k], b: [k, n], out: [m, n], of one type; for kWidened an operand may be fp32 already. out is
// written whole.
void multiply(const at::Tensor& a, const at::Tensor& b, at::Tensor& out, Path path);

// The same, returned.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, Path path);

// sum += scale * a b. sum: [m, n], of the operands' type or fp32.
void add_product(const at::Tensor& a, const at::Tensor& b, double scale, at::Tensor sum, Path path);

}  // namespace cutd::matrix_product
