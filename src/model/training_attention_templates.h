// Causal attention forward and backward for one key/value head, in blocks of query rows: scores of a block are
// one small matrix product, so memory stays at block x length and nothing of shape length x length exists.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "model/training_kernels.h"
#include "model/training_simd_math.h"

namespace cutd {
namespace {

// C[m, n] = (accumulate ? C : 0) + sum over k of A(m, k) B[k, n]; A(m, k) = a[m * a_row + k * a_column], so that A
// may be transposed. columns is a multiple of S::kWidth.
struct SmallProduct {
  std::int64_t rows, columns, depth;
  const float* a;
  std::int64_t a_row, a_column;
  const float* b;
  std::int64_t b_row;
  float* c;
  std::int64_t c_row;
  bool accumulate;
};

template <typename S, int kRows, int kVectors>
inline void product_tile(const SmallProduct& product, std::int64_t row, std::int64_t column) {
  using V = typename S::Vector;
  V sums[kRows][kVectors];
  float* c = product.c + row * product.c_row + column;
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      sums[i][j] = product.accumulate ? S::load(c + i * product.c_row + j * S::kWidth) : S::zero();
    }
  }
  const float* a = product.a + row * product.a_row;
  const float* b = product.b + column;
  for (std::int64_t k = 0; k < product.depth; ++k) {
    V bs[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) bs[j] = S::load(b + j * S::kWidth);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V value = S::set(a[i * product.a_row]);
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sums[i][j] = S::multiply_add(value, bs[j], sums[i][j]);
    }
    a += product.a_column;
    b += product.b_row;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) S::store(c + i * product.c_row + j * S::kWidth, sums[i][j]);
  }
}

template <typename S, int kVectors>
void product_columns(const SmallProduct& product, std::int64_t column) {
  constexpr int kRows = S::kWidth == 16 ? 8 : 4;
  std::int64_t row = 0;
  for (; row + kRows <= product.rows; row += kRows) product_tile<S, kRows, kVectors>(product, row, column);
  for (; row < product.rows; ++row) product_tile<S, 1, kVectors>(product, row, column);
}

template <typename S>
void multiply(const SmallProduct& product) {
  std::int64_t column = 0;
  for (; column + 2 * S::kWidth <= product.columns; column += 2 * S::kWidth) product_columns<S, 2>(product, column);
  for (; column < product.columns; column += S::kWidth) product_columns<S, 1>(product, column);
}

constexpr std::int64_t kQueryBlock = 64;
constexpr std::int64_t kAttentionAlignment = 16;  // widest vector

inline std::int64_t padded(std::int64_t size) {
  return (size + kAttentionAlignment - 1) / kAttentionAlignment * kAttentionAlignment;
}

// Cuts scratch memory into matrices.
class Scratch {
 public:
  explicit Scratch(float* memory) : next_(memory) {}
  float* take(std::int64_t floats) {
    float* taken = next_;
    next_ += floats;
    return taken;
  }

 private:
  float* next_;
};

template <typename S, typename T>
struct AttentionKernels {
  using V = typename S::Vector;

  struct Sizes {
    std::int64_t length, head_dim, padded_length, padded_dim;
    explicit Sizes(const AttentionTask<T>& task)
        : length(task.length),
          head_dim(task.head_dim),
          padded_length(padded(task.length)),
          padded_dim(padded(task.head_dim)) {}
  };

  // out[row, 0..columns) = factor * x[row * stride ...]; the padding up to padded_columns becomes 0.
  static void widen_rows(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t columns, float factor,
                         float* out, std::int64_t padded_columns) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const T* from = x + row * stride;
      float* to = out + row * padded_columns;
      std::int64_t i = 0;
      for (; i + S::kWidth <= columns; i += S::kWidth) S::store(to + i, S::multiply(S::load(from + i), S::set(factor)));
      if (i < columns)
        S::store_part(to + i, S::multiply(S::load_part(from + i, columns - i), S::set(factor)), columns - i);
      std::fill(to + columns, to + padded_columns, 0.0F);
    }
  }

  static void narrow_rows(const float* x, std::int64_t padded_columns, std::int64_t rows, std::int64_t columns,
                          float factor, T* out, std::int64_t stride) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = x + row * padded_columns;
      T* to = out + row * stride;
      std::int64_t i = 0;
      for (; i + S::kWidth <= columns; i += S::kWidth) S::store(to + i, S::multiply(S::load(from + i), S::set(factor)));
      if (i < columns)
        S::store_part(to + i, S::multiply(S::load_part(from + i, columns - i), S::set(factor)), columns - i);
    }
  }

  // out[column, row] = x[row, column]; rows beyond `rows` up to padded_rows become 0.
  static void transpose(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t padded_columns,
                        float* out, std::int64_t padded_rows) {
    constexpr std::int64_t kTile = 16;
    for (std::int64_t row = 0; row < rows; row += kTile) {
      const std::int64_t row_end = std::min(row + kTile, rows);
      for (std::int64_t column = 0; column < columns; ++column) {
        for (std::int64_t r = row; r < row_end; ++r) out[column * padded_rows + r] = x[r * padded_columns + column];
      }
    }
    for (std::int64_t column = 0; column < columns; ++column) {
      std::fill(out + column * padded_rows + rows, out + (column + 1) * padded_rows, 0.0F);
    }
  }

  // Keys that a block of query rows starting at `first` sees, rounded up to whole vectors.
  static std::int64_t visible(const Sizes& sizes, std::int64_t first, std::int64_t rows) {
    return std::min(padded(first + rows), sizes.padded_length);
  }

  // Softmax of a row over its first `count` scores; the rest up to `width` becomes 0. Returns max + log(sum).
  static float softmax(float* scores, std::int64_t count, std::int64_t width, float* inverse_sum) {
    const float minus_infinity = -std::numeric_limits<float>::infinity();
    V largest_lanes = S::set(minus_infinity);
    for (std::int64_t i = 0; i < count; i += S::kWidth) {
      largest_lanes =
          S::maximum(largest_lanes, S::load_part_or(scores + i, std::min(count - i, S::kWidth), minus_infinity));
    }
    const float largest = S::largest(largest_lanes);
    V sums = S::zero();
    for (std::int64_t i = 0; i < count; i += S::kWidth) {
      const V x = S::load_part_or(scores + i, std::min(count - i, S::kWidth), minus_infinity);
      const V e = exponential<S>(S::subtract(x, S::set(largest)));
      sums = S::add(sums, e);
      S::store(scores + i, e);
    }
    zero_tail(scores, count, width);
    const float sum = S::sum(sums);
    *inverse_sum = 1.0F / sum;
    return largest + std::log(sum);
  }

  // Whole vectors were stored up to the one that holds `count`; clears what lies beyond.
  static void zero_tail(float* row, std::int64_t count, std::int64_t width) {
    const std::int64_t stored = (count + S::kWidth - 1) / S::kWidth * S::kWidth;
    if (stored < width) std::fill(row + stored, row + width, 0.0F);
  }

  static void forward(const AttentionTask<T>& task, float* memory) {
    const Sizes sizes(task);
    Scratch scratch(memory);
    float* k_transposed = scratch.take(sizes.head_dim * sizes.padded_length);
    float* v = scratch.take(sizes.padded_length * sizes.padded_dim);
    float* q = scratch.take(kQueryBlock * sizes.padded_dim);
    float* scores = scratch.take(kQueryBlock * sizes.padded_length);
    float* out = scratch.take(kQueryBlock * sizes.padded_dim);
    widen_rows(task.k, task.stride, sizes.length, sizes.head_dim, 1, v, sizes.padded_dim);
    transpose(v, sizes.length, sizes.head_dim, sizes.padded_dim, k_transposed, sizes.padded_length);
    widen_rows(task.v, task.stride, sizes.length, sizes.head_dim, 1, v, sizes.padded_dim);
    std::fill(v + sizes.length * sizes.padded_dim, v + sizes.padded_length * sizes.padded_dim, 0.0F);
    for (std::int64_t head = 0; head < task.group; ++head) {
      for (std::int64_t first = 0; first < sizes.length; first += kQueryBlock) {
        const std::int64_t rows = std::min(kQueryBlock, sizes.length - first);
        const std::int64_t keys = visible(sizes, first, rows);
        widen_rows(task.q + head * sizes.head_dim + first * task.stride, task.stride, rows, sizes.head_dim, task.scale,
                   q, sizes.padded_dim);
        multiply<S>({rows, keys, sizes.head_dim, q, sizes.padded_dim, 1, k_transposed, sizes.padded_length, scores,
                     sizes.padded_length, false});
        float inverse_sums[kQueryBlock];
        for (std::int64_t row = 0; row < rows; ++row) {
          task.log_sums[head * task.log_sums_stride + first + row] =
              softmax(scores + row * sizes.padded_length, first + row + 1, keys, &inverse_sums[row]);
        }
        multiply<S>({rows, sizes.padded_dim, keys, scores, sizes.padded_length, 1, v, sizes.padded_dim, out,
                     sizes.padded_dim, false});
        for (std::int64_t row = 0; row < rows; ++row) {
          narrow_rows(out + row * sizes.padded_dim, sizes.padded_dim, 1, sizes.head_dim, inverse_sums[row],
                      task.out + head * sizes.head_dim + (first + row) * task.out_stride, task.out_stride);
        }
      }
    }
  }

  struct Backward {
    float *k, *v_transposed, *k_transposed, *dk, *dv;  // whole sequence
    float *q, *dout, *p, *dp, *dq;                     // one block
    Backward(const Sizes& sizes, float* memory) {
      Scratch scratch(memory);
      k = scratch.take(sizes.padded_length * sizes.padded_dim);
      k_transposed = scratch.take(sizes.head_dim * sizes.padded_length);
      v_transposed = scratch.take(sizes.head_dim * sizes.padded_length);
      dk = scratch.take(sizes.padded_length * sizes.padded_dim);
      dv = scratch.take(sizes.padded_length * sizes.padded_dim);
      q = scratch.take(kQueryBlock * sizes.padded_dim);
      dout = scratch.take(kQueryBlock * sizes.padded_dim);
      p = scratch.take(kQueryBlock * sizes.padded_length);
      dp = scratch.take(kQueryBlock * sizes.padded_length);
      dq = scratch.take(kQueryBlock * sizes.padded_dim);
    }
  };

  // p becomes the probabilities exp(score - log_sum), dp the scaled score gradient p (dp - dot(out, dout)).
  static void score_gradients(float* p, float* dp, std::int64_t count, std::int64_t width, float log_sum, float dot) {
    const float minus_infinity = -std::numeric_limits<float>::infinity();
    for (std::int64_t i = 0; i < count; i += S::kWidth) {
      const V scores = S::load_part_or(p + i, std::min(count - i, S::kWidth), minus_infinity);
      const V probability = exponential<S>(S::subtract(scores, S::set(log_sum)));
      S::store(p + i, probability);
      S::store(dp + i, S::multiply(probability, S::subtract(S::load(dp + i), S::set(dot))));
    }
    zero_tail(p, count, width);
    zero_tail(dp, count, width);
  }

  static float dot(const T* a, const float* b, std::int64_t size) {
    V sums = S::zero();
    for (std::int64_t i = 0; i < size; i += S::kWidth) {
      const std::int64_t lanes = std::min(size - i, S::kWidth);
      sums = S::multiply_add(lanes == S::kWidth ? S::load(a + i) : S::load_part(a + i, lanes),
                             lanes == S::kWidth ? S::load(b + i) : S::load_part(b + i, lanes), sums);
    }
    return S::sum(sums);
  }

  static void backward_block(const AttentionTask<T>& task, const Sizes& sizes, const Backward& b, std::int64_t head,
                             std::int64_t first) {
    const std::int64_t rows = std::min(kQueryBlock, sizes.length - first);
    const std::int64_t keys = visible(sizes, first, rows);
    const std::int64_t head_offset = head * sizes.head_dim;
    widen_rows(task.q + head_offset + first * task.stride, task.stride, rows, sizes.head_dim, task.scale, b.q,
               sizes.padded_dim);
    widen_rows(task.out_gradient + head_offset + first * task.out_stride, task.out_stride, rows, sizes.head_dim, 1,
               b.dout, sizes.padded_dim);
    multiply<S>({rows, keys, sizes.head_dim, b.q, sizes.padded_dim, 1, b.k_transposed, sizes.padded_length, b.p,
                 sizes.padded_length, false});
    multiply<S>({rows, keys, sizes.head_dim, b.dout, sizes.padded_dim, 1, b.v_transposed, sizes.padded_length, b.dp,
                 sizes.padded_length, false});
    for (std::int64_t row = 0; row < rows; ++row) {
      const float out_dot = dot(task.out + head_offset + (first + row) * task.out_stride,
                                b.dout + row * sizes.padded_dim, sizes.head_dim);
      score_gradients(b.p + row * sizes.padded_length, b.dp + row * sizes.padded_length, first + row + 1, keys,
                      task.log_sums[head * task.log_sums_stride + first + row], out_dot);
    }
    // b.q carries the scale already, so dk = dscore^T q; dq needs it once more.
    multiply<S>({keys, sizes.padded_dim, rows, b.p, 1, sizes.padded_length, b.dout, sizes.padded_dim, b.dv,
                 sizes.padded_dim, true});
    multiply<S>({keys, sizes.padded_dim, rows, b.dp, 1, sizes.padded_length, b.q, sizes.padded_dim, b.dk,
                 sizes.padded_dim, true});
    multiply<S>({rows, sizes.padded_dim, keys, b.dp, sizes.padded_length, 1, b.k, sizes.padded_dim, b.dq,
                 sizes.padded_dim, false});
    narrow_rows(b.dq, sizes.padded_dim, rows, sizes.head_dim, task.scale,
                task.q_gradient + head_offset + first * task.stride, task.stride);
  }

  static void backward(const AttentionTask<T>& task, float* memory) {
    const Sizes sizes(task);
    const Backward b(sizes, memory);
    const std::int64_t whole = sizes.padded_length * sizes.padded_dim;
    widen_rows(task.v, task.stride, sizes.length, sizes.head_dim, 1, b.k, sizes.padded_dim);
    transpose(b.k, sizes.length, sizes.head_dim, sizes.padded_dim, b.v_transposed, sizes.padded_length);
    widen_rows(task.k, task.stride, sizes.length, sizes.head_dim, 1, b.k, sizes.padded_dim);
    std::fill(b.k + sizes.length * sizes.padded_dim, b.k + whole, 0.0F);
    transpose(b.k, sizes.length, sizes.head_dim, sizes.padded_dim, b.k_transposed, sizes.padded_length);
    std::fill(b.dk, b.dk + whole, 0.0F);
    std::fill(b.dv, b.dv + whole, 0.0F);
    for (std::int64_t head = 0; head < task.group; ++head) {
      for (std::int64_t first = 0; first < sizes.length; first += kQueryBlock)
        backward_block(task, sizes, b, head, first);
    }
    narrow_rows(b.dk, sizes.padded_dim, sizes.length, sizes.head_dim, 1, task.k_gradient, task.stride);
    narrow_rows(b.dv, sizes.padded_dim, sizes.length, sizes.head_dim, 1, task.v_gradient, task.stride);
  }
};

}  // namespace
}  // namespace cutd
