// The linear layer of bfloat16 on Intel's tile registers (AMX): one instruction multiplies a tile of 16 rows by 32 of
// depth with one of 32 of depth by 16 columns (TDPBF16PS, Intel SDM volume 2).
//
// The second factor is wanted as pairs of depth, each row of the tile one pair of all columns, which is the transpose
// of how both weights and inputs lie in memory. For few rows of x those are transposed, for more the weights of a
// chunk, once for all rows. An element of a product is the same sequence of operations either way, its factors
// changed places, so that the number of rows does not change its bits.
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#include "model/cpu_kernel_tables.h"

// GCC 12 warns of its own _mm512_undefined_epi32 (GCC PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// Up to the end of the file; everything included above stays baseline code.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16")

namespace cutd {
namespace {

constexpr std::int64_t kSide = 16;          // rows of a tile, and columns of a sum
constexpr std::int64_t kStep = 32;          // depth of a tile
constexpr std::int64_t kDepthBlock = 2048;  // of a transposed factor, which stays in the L2 cache
constexpr std::int64_t kFewRows = 16;
constexpr std::int64_t kRowBlock = 64;  // rows whose sums are in registers at a time

// To be called between writing what a tile is loaded from and loading it: the tile intrinsics of GCC 12 do not say
// which memory they read.
inline void finish_writes() { asm volatile("" ::: "memory"); }

// What LDTILECFG reads: palette 1, and each register's rows and bytes of a row.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  void set(int tile, std::int64_t row_count, std::int64_t bytes) {
    rows[tile] = static_cast<std::uint8_t>(row_count);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes);
  }
  void load() const {
    finish_writes();
    _tile_loadconfig(this);
  }
};

std::int64_t steps_of(std::int64_t depth) { return (depth + kStep - 1) / kStep; }

// The last, incomplete step of up to 64 rows, filled up with zeros.
class Remainder {
 public:
  // `rest` < kStep elements from each of `rows` rows.
  void copy(const Bfloat16* from, std::int64_t stride, std::int64_t rows, std::int64_t rest) {
    const auto mask = static_cast<__mmask32>((1U << rest) - 1U);
    for (std::int64_t r = 0; r < rows; ++r) {
      _mm512_store_si512(values_ + r * kStep, _mm512_maskz_loadu_epi16(mask, from + r * stride));
    }
    finish_writes();
  }
  const Bfloat16* data() const { return values_; }

 private:
  alignas(64) Bfloat16 values_[kRowBlock * kStep];
};

// In place: rows[i] of 16 numbers of 32 bits become columns.
inline void transpose(__m512i (&rows)[kSide]) {
  __m512i pairs[kSide];
  for (int i = 0; i < kSide; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  __m512i fours[kSide];  // [4 i + j]: numbers j, j + 4, j + 8 and j + 12 of rows 4 i to 4 i + 3
  for (int i = 0; i < kSide; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int j = 0; j < 4; ++j) {
    const __m512i even_low = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0x88);
    const __m512i even_high = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0xdd);
    const __m512i odd_high = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0xdd);
    rows[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    rows[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    rows[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
    rows[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
  }
}

// Fetches 1 KiB. The weights of 16 outputs are read one tile after the other, and fetched as they lie in memory.
inline void fetch(const Bfloat16* from) {
  for (std::int64_t line = 0; line < kSide; ++line) {
    _mm_prefetch(reinterpret_cast<const char*>(from + line * kStep), _MM_HINT_T0);
  }
}

// `count` rows, at most 16, `depth` of each, as tiles of pairs: packed[step][pair][row], zeros beyond the depth.
// kFetch: the next 16 rows are fetched meanwhile.
template <bool kFetch>
void pack(CpuMatrix<Bfloat16> matrix, std::int64_t count, std::int64_t depth, Bfloat16* packed) {
  const auto columns = static_cast<__mmask16>((1U << count) - 1U);
  for (std::int64_t k = 0; k < depth; k += kStep) {
    if constexpr (kFetch) fetch(matrix.data + kSide * matrix.stride + k * kSide);
    const std::int64_t rest = std::min(kStep, depth - k);
    const auto mask = static_cast<__mmask32>((std::uint64_t{1} << rest) - 1U);
    __m512i rows[kSide];
    for (std::int64_t r = 0; r < kSide; ++r) {
      const Bfloat16* from = matrix.data + r * matrix.stride + k;
      rows[r] = r < count ? _mm512_maskz_loadu_epi16(mask, from) : _mm512_setzero_si512();
    }
    transpose(rows);
    for (std::int64_t pair = 0; pair < kSide; ++pair) {
      _mm512_mask_storeu_epi32(packed + (k + pair * 2) * count, columns, rows[pair]);
    }
  }
  finish_writes();
}

// One block of depth: transposed weights times up to 64 rows of x.
struct RowTask {
  const Bfloat16* packed;
  std::int64_t columns;  // of it: outputs
  const Bfloat16* input;
  std::int64_t input_stride;
  const Bfloat16* remainder;  // of the rows of x, for the last step; null: it is complete
  std::int64_t steps;
  float* out;
  std::int64_t out_stride;
  bool begins;  // sums begin at zero, not with what `out` holds
};

// Registers: 0 to 3 sums of whole groups of 16 rows, 4 their x; 6 and 5 those of the last rows; 7 the weights.
template <int kGroups, bool kLast>
void multiply_rows(const RowTask& task) {
  const std::int64_t out_bytes = task.out_stride * 4;
  const auto out_of = [&task](std::int64_t group) { return task.out + group * kSide * task.out_stride; };
  if (task.begins) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(6);
  } else {
    if constexpr (kGroups > 0) _tile_loadd(0, out_of(0), out_bytes);
    if constexpr (kGroups > 1) _tile_loadd(1, out_of(1), out_bytes);
    if constexpr (kGroups > 2) _tile_loadd(2, out_of(2), out_bytes);
    if constexpr (kGroups > 3) _tile_loadd(3, out_of(3), out_bytes);
    if constexpr (kLast) _tile_loadd(6, out_of(kGroups), out_bytes);
  }
  for (std::int64_t step = 0; step < task.steps; ++step) {
    const bool filled = task.remainder != nullptr && step + 1 == task.steps;
    const Bfloat16* input = filled ? task.remainder : task.input + step * kStep;
    const std::int64_t stride = filled ? kStep : task.input_stride;
    const auto input_of = [input, stride](std::int64_t group) { return input + group * kSide * stride; };
    _tile_loadd(7, task.packed + step * kStep * task.columns, task.columns * 4);
    if constexpr (kGroups > 0) {
      _tile_loadd(4, input_of(0), stride * 2);
      _tile_dpbf16ps(0, 4, 7);
    }
    if constexpr (kGroups > 1) {
      _tile_loadd(4, input_of(1), stride * 2);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (kGroups > 2) {
      _tile_loadd(4, input_of(2), stride * 2);
      _tile_dpbf16ps(2, 4, 7);
    }
    if constexpr (kGroups > 3) {
      _tile_loadd(4, input_of(3), stride * 2);
      _tile_dpbf16ps(3, 4, 7);
    }
    if constexpr (kLast) {
      _tile_loadd(5, input_of(kGroups), stride * 2);
      _tile_dpbf16ps(6, 5, 7);
    }
  }
  if constexpr (kGroups > 0) _tile_stored(0, out_of(0), out_bytes);
  if constexpr (kGroups > 1) _tile_stored(1, out_of(1), out_bytes);
  if constexpr (kGroups > 2) _tile_stored(2, out_of(2), out_bytes);
  if constexpr (kGroups > 3) _tile_stored(3, out_of(3), out_bytes);
  if constexpr (kLast) _tile_stored(6, out_of(kGroups), out_bytes);
}

void multiply_row_block(const RowTask& task, std::int64_t rows) {
  const bool last = rows % kSide > 0;
  switch (rows / kSide) {
    case 0: return multiply_rows<0, true>(task);
    case 1: return last ? multiply_rows<1, true>(task) : multiply_rows<1, false>(task);
    case 2: return last ? multiply_rows<2, true>(task) : multiply_rows<2, false>(task);
    case 3: return last ? multiply_rows<3, true>(task) : multiply_rows<3, false>(task);
    default: return multiply_rows<4, false>(task);
  }
}

// Many rows of x: the weights are transposed.
void linear_of_rows(CpuMatrix<Bfloat16> weight, std::int64_t outs, CpuMatrix<Bfloat16> input, std::int64_t rows,
                    std::int64_t depth, float* out, std::int64_t out_stride) {
  alignas(64) Bfloat16 packed[kDepthBlock * kSide];
  Remainder remainder;
  for (std::int64_t n = 0; n < outs; n += kSide) {
    const std::int64_t columns = std::min(kSide, outs - n);
    if (n == 0 || columns < kSide) {
      TileShapes shapes;
      for (const int sums : {0, 1, 2, 3}) shapes.set(sums, kSide, columns * 4);
      shapes.set(4, kSide, 64);
      shapes.set(5, std::max<std::int64_t>(rows % kSide, 1), 64);
      shapes.set(6, std::max<std::int64_t>(rows % kSide, 1), columns * 4);
      shapes.set(7, kSide, columns * 4);
      shapes.load();
    }
    for (std::int64_t k = 0; k < depth; k += kDepthBlock) {
      const std::int64_t part = std::min(kDepthBlock, depth - k);
      const std::int64_t rest = part % kStep;
      pack<true>({weight.data + n * weight.stride + k, weight.stride}, columns, part, packed);
      for (std::int64_t m = 0; m < rows; m += kRowBlock) {
        const std::int64_t height = std::min(kRowBlock, rows - m);
        const Bfloat16* from = input.data + m * input.stride + k;
        if (rest > 0) remainder.copy(from + part - rest, input.stride, height, rest);
        multiply_row_block({packed, columns, from, input.stride, rest > 0 ? remainder.data() : nullptr, steps_of(part),
                            out + m * out_stride + n, out_stride, k == 0},
                           height);
      }
    }
  }
}

// One block of depth: 16 outputs' weights, or kLast: fewer, times a few rows of x as pack() leaves them. Adds to
// register 0, kLast: 6.
template <bool kLast>
void multiply_outputs(CpuMatrix<Bfloat16> weight, std::int64_t count, std::int64_t depth, const Bfloat16* packed,
                      std::int64_t rows) {
  Remainder remainder;
  const std::int64_t rest = depth % kStep;
  if (rest > 0) remainder.copy(weight.data + depth - rest, weight.stride, count, rest);
  for (std::int64_t step = 0; step < steps_of(depth); ++step) {
    const bool filled = (step + 1) * kStep > depth;
    const Bfloat16* from = filled ? remainder.data() : weight.data + step * kStep;
    const std::int64_t stride = filled ? kStep : weight.stride;
    fetch(weight.data + kSide * weight.stride + step * kStep * kSide);
    _tile_loadd(7, packed + step * kStep * rows, rows * 4);
    if constexpr (kLast) {
      _tile_loadd(5, from, stride * 2);
      _tile_dpbf16ps(6, 5, 7);
    } else {
      _tile_loadd(4, from, stride * 2);
      _tile_dpbf16ps(0, 4, 7);
    }
  }
}

// products[output][row] of one tile to out[row][output].
void store_transposed(const float* products, std::int64_t rows, std::int64_t count, float* out,
                      std::int64_t out_stride) {
  __m512i lines[kSide];
  for (std::int64_t i = 0; i < kSide; ++i) lines[i] = _mm512_load_si512(products + i * kSide);
  transpose(lines);
  const auto mask = static_cast<__mmask16>((1U << count) - 1U);
  for (std::int64_t m = 0; m < rows; ++m) _mm512_mask_storeu_epi32(out + m * out_stride, mask, lines[m]);
}

// Few rows of x: they are transposed, and so are their products. A single row lies as its transpose does.
void linear_of_few(CpuMatrix<Bfloat16> weight, std::int64_t outs, CpuMatrix<Bfloat16> input, std::int64_t rows,
                   std::int64_t depth, float* out, std::int64_t out_stride) {
  TileShapes shapes;
  shapes.set(0, kSide, rows * 4);
  shapes.set(4, kSide, 64);
  shapes.set(5, std::max<std::int64_t>(outs % kSide, 1), 64);
  shapes.set(6, std::max<std::int64_t>(outs % kSide, 1), rows * 4);
  shapes.set(7, kSide, rows * 4);
  shapes.load();
  alignas(64) Bfloat16 packed[kDepthBlock * kSide];
  alignas(64) float products[kSide * kSide] = {};
  const bool lies_as_wanted = rows == 1 && depth % kStep == 0;
  for (std::int64_t n = 0; n < outs; n += kSide) {
    const std::int64_t count = std::min(kSide, outs - n);
    _tile_zero(0);
    _tile_zero(6);
    for (std::int64_t k = 0; k < depth; k += kDepthBlock) {
      const std::int64_t part = std::min(kDepthBlock, depth - k);
      const bool is_packed = n > 0 && depth <= kDepthBlock;
      if (!lies_as_wanted && !is_packed) pack<false>({input.data + k, input.stride}, rows, part, packed);
      const Bfloat16* pairs = lies_as_wanted ? input.data + k : packed;
      const CpuMatrix<Bfloat16> matrix{weight.data + n * weight.stride + k, weight.stride};
      if (count == kSide) multiply_outputs<false>(matrix, count, part, pairs, rows);
      else multiply_outputs<true>(matrix, count, part, pairs, rows);
    }
    if (count == kSide) _tile_stored(0, products, kSide * 4);
    else _tile_stored(6, products, kSide * 4);
    store_transposed(products, rows, count, out + n, out_stride);
  }
}

}  // namespace

void amx_bf16_linear(CpuMatrix<Bfloat16> weight, std::int64_t outs, CpuMatrix<Bfloat16> input, std::int64_t rows,
                     std::int64_t depth, float* out, std::int64_t out_stride) {
  if (rows <= kFewRows) linear_of_few(weight, outs, input, rows, depth, out, out_stride);
  else linear_of_rows(weight, outs, input, rows, depth, out, out_stride);
  _tile_release();  // the threads are LibTorch's, which configures tiles for itself
}

}  // namespace cutd
#endif
