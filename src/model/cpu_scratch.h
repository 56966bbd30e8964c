// Everything a step of the CPU decoder writes, allocated once: the cache arena, buffers of all rows, and buffers of
// each thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "model/cpu_kernels.h"
#include "model/decoder.h"
#include "model/huge_buffer.h"
#include "model/rope.h"

namespace cutd {

constexpr std::int64_t kHeadChunk = 128;  // rows of the head that are one

// What a chunk of the vocabulary adds to a row's distribution.
struct HeadChunkStatistics {
  float largest;
  float sum;
  std::int64_t index;
};

// Sizes of a decoder that the layers' code keeps asking for.
struct CpuShape {
  std::int64_t hidden, intermediate, heads, kv_heads, head_dim, vocab, query_size, qkv_size, group;

  explicit CpuShape(const ModelConfig& config)
      : hidden(config.hidden_size),
        intermediate(config.intermediate_size),
        heads(config.heads),
        kv_heads(config.kv_heads),
        head_dim(config.head_dim),
        vocab(config.vocab_size),
        query_size(heads * head_dim),
        qkv_size(query_size + 2 * kv_heads * head_dim),
        group(heads / kv_heads) {}

  std::int64_t head_chunks() const { return (vocab + kHeadChunk - 1) / kHeadChunk; }
};

// Buffers of one thread.
struct ThreadScratch {
  std::vector<float> tile;    // [max_rows, max(2 * kMostOutputs, kHeadChunk)]
  std::vector<float> scores;  // [group, max_positions]
};

// Arena: keys and values of layer l and head h at [l][h][place][head_dim], contiguous per head.
template <typename T>
struct CpuScratch {
  CpuScratch(const ModelConfig& config, const DecoderLimits& limits, std::int64_t thread_count)
      : shape(config),
        tables(make_rope_tables(config, limits.max_positions)),
        head_stride(limits.arena_tokens * shape.head_dim),
        layer_stride(shape.kv_heads * head_stride),
        key_arena(arena_bytes(config), "the key cache"),
        value_arena(arena_bytes(config), "the value cache"),
        hidden(elements(limits.max_rows * shape.hidden)),
        qkv(elements(limits.max_rows * shape.qkv_size)),
        normed(elements(limits.max_rows * shape.hidden)),
        query(elements(limits.max_rows * shape.query_size)),
        attention(elements(limits.max_rows * shape.query_size)),
        activation(elements(limits.max_rows * shape.intermediate)),
        statistics(elements(limits.max_rows * shape.head_chunks())) {
    const std::int64_t width = std::max(2 * kMostOutputs, kHeadChunk);
    for (std::int64_t thread = 0; thread < thread_count; ++thread) {
      threads.push_back({std::vector<float>(elements(limits.max_rows * width)),
                         std::vector<float>(elements(shape.group * limits.max_positions))});
    }
  }

  T* keys(std::int64_t layer, std::int64_t head, std::int64_t place) const {
    return key_arena.template as<T>() + layer * layer_stride + head * head_stride + place * shape.head_dim;
  }
  T* values(std::int64_t layer, std::int64_t head, std::int64_t place) const {
    return value_arena.template as<T>() + layer * layer_stride + head * head_stride + place * shape.head_dim;
  }

  const CpuShape shape;
  const RopeTables tables;
  const std::int64_t head_stride;
  const std::int64_t layer_stride;
  const HugeBuffer key_arena;
  const HugeBuffer value_arena;

  std::vector<float> hidden;                    // residual stream [rows, hidden]
  std::vector<float> qkv;                       // [rows, qkv_size]
  std::vector<T> normed;                        // [rows, hidden]
  std::vector<T> query;                         // [rows, query_size], rotated
  std::vector<T> attention;                     // [rows, query_size]
  std::vector<T> activation;                    // [rows, intermediate]
  std::vector<HeadChunkStatistics> statistics;  // [queries, head_chunks]
  std::vector<ThreadScratch> threads;

 private:
  static std::size_t elements(std::int64_t count) { return static_cast<std::size_t>(count); }
  std::size_t arena_bytes(const ModelConfig& config) const {
    return elements(config.layers * layer_stride) * sizeof(T);
  }
};

}  // namespace cutd
