// One-lane "vectors": the portable level of the CPU kernels (cpu_kernel_templates.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "model/cpu_kernels.h"

namespace cutd {
namespace {

struct ScalarSimd {
  static constexpr std::int64_t kWidth = 1;
  using Vector = float;

  static Vector zero() { return 0.0F; }
  static Vector set(float value) { return value; }
  static Vector load(const float* from) { return *from; }
  static Vector load(const Bfloat16* from) {
    const std::uint32_t bits = static_cast<std::uint32_t>(from->bits) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  template <typename T>
  static Vector load_part(const T* from, std::int64_t) {
    return load(from);
  }
  static Vector load_part_or(const float* from, std::int64_t, float) { return *from; }
  static void store(float* to, Vector value) { *to = value; }
  static void store(Bfloat16* to, Vector value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    to->bits = static_cast<std::uint16_t>(value != value ? ((bits >> 16) | 0x40U)
                                                         : ((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16));
  }
  template <typename T>
  static void store_part(T* to, Vector value, std::int64_t) {
    store(to, value);
  }

  static Vector add(Vector a, Vector b) { return a + b; }
  static Vector subtract(Vector a, Vector b) { return a - b; }
  static Vector multiply(Vector a, Vector b) { return a * b; }
  static Vector divide(Vector a, Vector b) { return a / b; }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  static Vector maximum(Vector a, Vector b) { return a > b ? a : b; }
  static float sum(Vector a) { return a; }
  static float largest(Vector a) { return a; }
  static void sum4(Vector a, Vector b, Vector c, Vector d, float* out) {
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
  }
  static Vector exponential(Vector x) { return std::exp(x); }
  static void prefetch(const void*) {}
};

}  // namespace
}  // namespace cutd
