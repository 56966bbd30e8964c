// The small-batch linear layer of the CPU kernels: y = x W^T for 1 to some hundred rows of x.
//
// A tile of kRows outputs times up to kColumns rows of x keeps its sums in registers; weights are read in the
// order they lie in memory, once per block of rows, which is what bounds decoding. Include it after
// `#pragma GCC target`; S is a Simd struct (cpu_simd_*.h), D says how chunks of T are multiplied.
#pragma once

#include <cstdint>

#include "model/cpu_kernels.h"

namespace cutd {
namespace {

// Products of chunks as wide as S, for any T that S can load.
template <typename S, typename T>
struct PlainDot {
  static constexpr std::int64_t kStep = S::kWidth;
  using Chunk = typename S::Vector;
  static Chunk load(const T* from) { return S::load(from); }
  static Chunk load_part(const T* from, std::int64_t count) { return S::load_part(from, count); }
  static typename S::Vector step(typename S::Vector sum, Chunk a, Chunk b) { return S::multiply_add(a, b, sum); }
};

template <typename T>
struct LinearTile {
  const T* weight;
  std::int64_t weight_stride;
  const T* input;
  std::int64_t input_stride;
  std::int64_t depth;
  float* out;
  std::int64_t out_stride;
  std::int64_t ahead;  // elements between a weight read and the one fetched for later; 0: it is here already
};

// One step of depth: kRows * kColumns products. The side with fewer chunks stays in registers, so that all sums do,
// too.
template <typename S, typename D, typename T, int kRows, int kColumns>
inline void step_tile(const LinearTile<T>& tile, std::int64_t k, typename S::Vector (&sums)[kRows][kColumns]) {
  const auto weights_of = [&tile, k](int r) {
    const T* from = tile.weight + r * tile.weight_stride + k;
    S::prefetch(from + tile.ahead);
    return D::load(from);
  };
  const auto values_of = [&tile, k](int c) { return D::load(tile.input + c * tile.input_stride + k); };
  if constexpr (kRows < kColumns) {
    typename D::Chunk weights[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) weights[r] = weights_of(r);
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      const typename D::Chunk values = values_of(c);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sums[r][c] = D::step(sums[r][c], weights[r], values);
    }
  } else {
    typename D::Chunk values[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) values[c] = values_of(c);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const typename D::Chunk weights = weights_of(r);
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) sums[r][c] = D::step(sums[r][c], weights, values[c]);
    }
  }
}

template <typename S, typename D, typename T, int kRows, int kColumns>
void run_tile(const LinearTile<T>& tile) {
  typename S::Vector sums[kRows][kColumns];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) sums[r][c] = S::zero();
  }
  const T* weight = tile.weight;
  const T* input = tile.input;
  std::int64_t k = 0;
  for (; k + D::kStep <= tile.depth; k += D::kStep) step_tile<S, D, T, kRows, kColumns>(tile, k, sums);
  if (k < tile.depth) {
    const std::int64_t rest = tile.depth - k;
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      const typename D::Chunk values = D::load_part(input + c * tile.input_stride + k, rest);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        sums[r][c] = D::step(sums[r][c], D::load_part(weight + r * tile.weight_stride + k, rest), values);
      }
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < kColumns; ++c) {
    float* out = tile.out + c * tile.out_stride;
    if constexpr (kRows % 4 == 0) {
#pragma GCC unroll 2
      for (int r = 0; r < kRows; r += 4) S::sum4(sums[r][c], sums[r + 1][c], sums[r + 2][c], sums[r + 3][c], out + r);
    } else {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) out[r] = S::sum(sums[r][c]);
    }
  }
}

// run_tile with the run-time number of columns, at most kMost.
template <typename S, typename D, typename T, int kRows, int kMost>
void run_tile_of(const LinearTile<T>& tile, std::int64_t columns) {
  if constexpr (kMost > 1) {
    if (columns < kMost) return run_tile_of<S, D, T, kRows, kMost - 1>(tile, columns);
  }
  run_tile<S, D, T, kRows, kMost>(tile);
}

// One block of outputs for one block of rows of x; rows go in nearly equal groups of at most kColumns.
template <typename S, typename D, typename T, int kRows, int kColumns>
void run_outputs(LinearTile<T> tile, std::int64_t outs, std::int64_t rows) {
  const std::int64_t groups = (rows + kColumns - 1) / kColumns;
  for (std::int64_t n = 0; n + kRows <= outs; n += kRows) {
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t begin = rows * g / groups;
      const std::int64_t end = rows * (g + 1) / groups;
      LinearTile<T> part = tile;
      part.weight += n * tile.weight_stride;
      part.input += begin * tile.input_stride;
      part.out += begin * tile.out_stride + n;
      if (g > 0) part.ahead = 0;
      run_tile_of<S, D, T, kRows, kColumns>(part, end - begin);
    }
  }
}

template <typename S, typename D, typename T, int kColumns>
void linear(CpuMatrix<T> weight, std::int64_t outs, CpuMatrix<T> input, std::int64_t rows, std::int64_t depth,
            float* out, std::int64_t out_stride) {
  constexpr std::int64_t kOutputBlock = 64;           // weights of a block stay in the L2 cache
  constexpr int kTallColumns = kColumns < 6 ? 1 : 2;  // of a tile twice as tall: for few rows, as many sums
  constexpr std::int64_t kRowBlock = kColumns * 8;    // so do its rows of x
  for (std::int64_t n = 0; n < outs; n += kOutputBlock) {
    const std::int64_t block = outs - n < kOutputBlock ? outs - n : kOutputBlock;
    for (std::int64_t m = 0; m < rows; m += kRowBlock) {
      const std::int64_t height = rows - m < kRowBlock ? rows - m : kRowBlock;
      LinearTile<T> tile{weight.data + n * weight.stride,
                         weight.stride,
                         input.data + m * input.stride,
                         input.stride,
                         depth,
                         out + m * out_stride + n,
                         out_stride,
                         8 * weight.stride};
      std::int64_t done = 0;
      if (height <= kTallColumns) {
        run_outputs<S, D, T, 8, kTallColumns>(tile, block, height);
        done = block / 8 * 8;
      }
      const auto skip = [&tile](std::int64_t count) {
        tile.weight += count * tile.weight_stride;
        tile.out += count;
      };
      skip(done);
      run_outputs<S, D, T, 4, kColumns>(tile, block - done, height);
      skip((block - done) / 4 * 4);
      run_outputs<S, D, T, 1, kColumns>(tile, block % 4, height);
    }
  }
}

}  // namespace
}  // namespace cutd
