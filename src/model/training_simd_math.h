// exp and sigmoid over a vector type S of cpu_simd_*.h.
#pragma once

#include <cmath>

namespace cutd {
namespace {

// exp(x) to about 1e-7 relative; 0 below -104, infinity above 88.7, NaN for NaN (the clamps keep a NaN because
// the CPU's minimum and maximum return their second operand then).
template <typename S>
typename S::Vector exponential(typename S::Vector x) {
  using V = typename S::Vector;
  if constexpr (S::kWidth == 1) {
    return std::exp(x);
  } else {
    const V clamped = S::maximum(S::set(-120.0F), S::minimum(S::set(100.0F), x));
    const V n = S::round(S::multiply(clamped, S::set(1.44269504F)));
    // ln 2 in two parts, so that the remainder keeps its low bits.
    V r = S::multiply_add(n, S::set(-0.693359375F), clamped);
    r = S::multiply_add(n, S::set(2.12194440e-4F), r);
    V p = S::set(1.9875691500e-4F);  // minimax polynomial of Cephes' expf
    p = S::multiply_add(p, r, S::set(1.3981999507e-3F));
    p = S::multiply_add(p, r, S::set(8.3334519073e-3F));
    p = S::multiply_add(p, r, S::set(4.1665795894e-2F));
    p = S::multiply_add(p, r, S::set(1.6666665459e-1F));
    p = S::multiply_add(p, r, S::set(5.0000001201e-1F));
    p = S::multiply_add(S::multiply(r, r), p, S::add(r, S::set(1.0F)));
    // 2^n in two factors: each is a normal number, their product may underflow or overflow as it should.
    const V half = S::round(S::multiply(n, S::set(0.5F)));
    return S::multiply(S::multiply(p, S::power_of_two(half)), S::power_of_two(S::subtract(n, half)));
  }
}

template <typename S>
typename S::Vector sigmoid(typename S::Vector x) {
  const typename S::Vector one = S::set(1.0F);
  return S::divide(one, S::add(one, exponential<S>(S::subtract(S::zero(), x))));
}

}  // namespace
}  // namespace cutd
