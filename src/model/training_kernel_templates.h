// Bodies of training_kernels.h over a vector type S (cpu_simd_*.h). Included once per instruction set, after
// `#pragma GCC target`; everything has internal linkage so that no set leaks into another.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "model/training_attention_templates.h"
#include "model/training_dropout_templates.h"
#include "model/training_kernels.h"
#include "model/training_simd_math.h"

namespace cutd {
namespace {

// Calls body(i, lanes) for i = 0, width, ...; lanes < width only for the last one.
template <typename S, typename Body>
void for_vectors(std::int64_t size, const Body& body) {
  std::int64_t i = 0;
  for (; i + S::kWidth <= size; i += S::kWidth) body(i, S::kWidth);
  if (i < size) body(i, size - i);
}

template <typename S, typename T>
typename S::Vector load_lanes(const T* from, std::int64_t lanes) {
  return lanes == S::kWidth ? S::load(from) : S::load_part(from, lanes);
}

template <typename S, typename T>
void store_lanes(T* to, typename S::Vector value, std::int64_t lanes) {
  if (lanes == S::kWidth) S::store(to, value);
  else S::store_part(to, value, lanes);
}

// What a value becomes when it is stored as T and read again.
template <typename S>
typename S::Vector round_to(typename S::Vector value, const float*) {
  return value;
}
template <typename S>
typename S::Vector round_to(typename S::Vector value, const Bfloat16*) {
  Bfloat16 stored[S::kWidth];
  S::store(stored, value);
  return S::load(stored);
}

template <typename S, typename T>
struct ElementKernels {
  using V = typename S::Vector;

  static void rms_norm(const T* x, const T* weight, std::int64_t size, float epsilon, T* y, float* inverse_rms) {
    V squares = S::zero();
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V value = load_lanes<S>(x + i, lanes);
      squares = S::multiply_add(value, value, squares);
    });
    const float inverse = 1.0F / std::sqrt(S::sum(squares) / static_cast<float>(size) + epsilon);
    *inverse_rms = inverse;
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V scaled =
          round_to<S>(S::multiply(load_lanes<S>(x + i, lanes), S::set(inverse)), static_cast<const T*>(nullptr));
      store_lanes<S>(y + i, S::multiply(scaled, load_lanes<S>(weight + i, lanes)), lanes);
    });
  }

  // y = w x r with r = (mean x^2 + e)^(-1/2): dx = r w dy - x r^3 mean(w dy x).
  static void rms_norm_backward(const T* x, const T* weight, float inverse_rms, const T* dy, std::int64_t size,
                                float* dx) {
    V products = S::zero();
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V scaled = S::multiply(load_lanes<S>(weight + i, lanes), load_lanes<S>(dy + i, lanes));
      products = S::multiply_add(scaled, load_lanes<S>(x + i, lanes), products);
    });
    const float mean = S::sum(products) / static_cast<float>(size);
    const V r = S::set(inverse_rms);
    const V along_x = S::set(-mean * inverse_rms * inverse_rms * inverse_rms);
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V scaled = S::multiply(load_lanes<S>(weight + i, lanes), load_lanes<S>(dy + i, lanes));
      V sum = S::multiply_add(r, scaled, load_lanes<S>(dx + i, lanes));
      sum = S::multiply_add(along_x, load_lanes<S>(x + i, lanes), sum);
      store_lanes<S>(dx + i, sum, lanes);
    });
  }

  static void silu_multiply(const T* gate, const T* up, std::int64_t size, T* y) {
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V g = load_lanes<S>(gate + i, lanes);
      store_lanes<S>(y + i, S::multiply(S::multiply(g, sigmoid<S>(g)), load_lanes<S>(up + i, lanes)), lanes);
    });
  }

  // silu'(g) = s (1 + g (1 - s)) with s = sigmoid(g).
  static void silu_multiply_backward(const T* gate, const T* up, const T* dy, std::int64_t size, T* dgate, T* dup) {
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V g = load_lanes<S>(gate + i, lanes);
      const V u = load_lanes<S>(up + i, lanes);
      const V gradient = load_lanes<S>(dy + i, lanes);
      const V s = sigmoid<S>(g);
      const V slope = S::multiply(s, S::multiply_add(g, S::subtract(S::set(1.0F), s), S::set(1.0F)));
      store_lanes<S>(dgate + i, S::multiply(S::multiply(gradient, u), slope), lanes);
      store_lanes<S>(dup + i, S::multiply(gradient, S::multiply(g, s)), lanes);
    });
  }

  static void rotate(T* x, const float* cos, const float* sin, std::int64_t half, float direction) {
    for_vectors<S>(half, [&](std::int64_t i, std::int64_t lanes) {
      const V low = load_lanes<S>(x + i, lanes);
      const V high = load_lanes<S>(x + half + i, lanes);
      const V c = load_lanes<S>(cos + i, lanes);
      const V s = S::multiply(S::set(direction), load_lanes<S>(sin + i, lanes));
      store_lanes<S>(x + i, S::subtract(S::multiply(low, c), S::multiply(high, s)), lanes);
      store_lanes<S>(x + half + i, S::add(S::multiply(high, c), S::multiply(low, s)), lanes);
    });
  }

  static void add(const T* x, const T* y, std::int64_t size, T* sum) {
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      store_lanes<S>(sum + i, S::add(load_lanes<S>(x + i, lanes), load_lanes<S>(y + i, lanes)), lanes);
    });
  }

  static void accumulate(const T* x, std::int64_t size, float* sum) {
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      store_lanes<S>(sum + i, S::add(load_lanes<S>(x + i, lanes), load_lanes<S>(sum + i, lanes)), lanes);
    });
  }

  static void convert(const float* x, std::int64_t size, T* y) {
    for_vectors<S>(
        size, [&](std::int64_t i, std::int64_t lanes) { store_lanes<S>(y + i, load_lanes<S>(x + i, lanes), lanes); });
  }

  static void softmax_difference(float* logits, std::int64_t size, std::int64_t label, float* log_p, float* log_not_p,
                                 T* difference) {
    const float minus_infinity = -std::numeric_limits<float>::infinity();
    V largest_lanes = S::set(minus_infinity);
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V x = lanes == S::kWidth ? S::load(logits + i) : S::load_part_or(logits + i, lanes, minus_infinity);
      largest_lanes = S::maximum(largest_lanes, x);
    });
    const float largest = S::largest(largest_lanes);
    const float label_logit = logits[label];
    logits[label] = minus_infinity;  // its exponential, 0, stays out of the sum of the others
    V sums = S::zero();
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      const V x = lanes == S::kWidth ? S::load(logits + i) : S::load_part_or(logits + i, lanes, minus_infinity);
      const V e = exponential<S>(S::subtract(x, S::set(largest)));
      sums = S::add(sums, e);
      store_lanes<S>(logits + i, e, lanes);
    });
    const float others = S::sum(sums);
    const float sum = others + std::exp(label_logit - largest);
    *log_p = (label_logit - largest) - std::log(sum);
    *log_not_p = std::log(others) - std::log(sum);
    const V scale = S::set(-1.0F / sum);
    for_vectors<S>(size, [&](std::int64_t i, std::int64_t lanes) {
      store_lanes<S>(difference + i, S::multiply(load_lanes<S>(logits + i, lanes), scale), lanes);
    });
    const float not_p = others / sum;
    ElementKernels<S, T>::convert(&not_p, 1, difference + label);
  }
};

template <typename S, typename T>
TrainingKernels<T> make_training_kernels() {
  using Element = ElementKernels<S, T>;
  TrainingKernels<T> kernels;
  kernels.rms_norm = Element::rms_norm;
  kernels.rms_norm_backward = Element::rms_norm_backward;
  kernels.silu_multiply = Element::silu_multiply;
  kernels.silu_multiply_backward = Element::silu_multiply_backward;
  kernels.rotate = Element::rotate;
  kernels.add = Element::add;
  kernels.accumulate = Element::accumulate;
  kernels.convert = Element::convert;
  kernels.softmax_difference = Element::softmax_difference;
  kernels.dropout = DropoutKernels<T>::forward;
  kernels.dropout_backward = DropoutKernels<T>::backward;
  kernels.attention = AttentionKernels<S, T>::forward;
  kernels.attention_backward = AttentionKernels<S, T>::backward;
  return kernels;
}

}  // namespace
}  // namespace cutd
