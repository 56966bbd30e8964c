#include "model/cpu_decoder.h"

#include <cmath>

#include "core/error.h"
#include "model/cpu_layer_weights.h"
#include "model/cpu_scratch.h"
#include "model/cpu_team.h"

namespace cutd {
namespace {

// A row of head queries together with where its answer goes.
struct StepView {
  std::span<const DecoderRow> rows;
  std::span<const HeadQuery> queries;
  std::span<HeadResult> results;
};

template <typename T>
class CpuDecoder final : public Decoder {
 public:
  CpuDecoder(const DecoderWeights& weights, const DecoderLimits& limits, CpuLevel level)
      : weights_(weights),
        limits_(limits),
        kernels_(cpu_kernels<T>(level)),
        epsilon_(static_cast<float>(weights.config.rms_norm_eps)),
        score_scale_(static_cast<float>(1 / std::sqrt(static_cast<double>(weights.config.head_dim)))),
        layers_(cpu_layer_weights<T>(weights)),
        team_(limits.threads),
        scratch_(weights.config, limits, limits.threads),
        shape_(scratch_.shape) {}

  const DecoderLimits& limits() const override { return limits_; }

  void copy(std::int64_t from, std::int64_t to, std::int64_t count) override {
    check_copy(limits_, from, to, count);
    for (std::int64_t layer = 0; layer < static_cast<std::int64_t>(layers_.size()); ++layer) {
      for (std::int64_t head = 0; head < shape_.kv_heads; ++head) {
        std::copy_n(scratch_.keys(layer, head, from), count * shape_.head_dim, scratch_.keys(layer, head, to));
        std::copy_n(scratch_.values(layer, head, from), count * shape_.head_dim, scratch_.values(layer, head, to));
      }
    }
  }

  void run(std::span<const DecoderRow> rows, std::span<const HeadQuery> queries,
           std::span<HeadResult> results) override {
    check(rows, queries, results);
    const StepView step{rows, queries, results};
    team_.run([&](std::int64_t thread) {
      embed(thread, step);
      for (std::int64_t layer = 0; layer < static_cast<std::int64_t>(layers_.size()); ++layer) {
        attention_block(thread, step, layer);
        mlp_block(thread, step, layers_[static_cast<std::size_t>(layer)]);
      }
      if (!queries.empty()) head(thread, step);
    });
  }

 private:
  void check(std::span<const DecoderRow> rows, std::span<const HeadQuery> queries, std::span<HeadResult> results) const;
  void embed(std::int64_t thread, const StepView& step);
  void attention_block(std::int64_t thread, const StepView& step, std::int64_t layer);
  void rotate_and_store(const DecoderRow& row, std::int64_t index, std::int64_t layer);
  void attend(ThreadScratch& scratch, const DecoderRow& row, std::int64_t index, std::int64_t layer,
              std::int64_t first_head, std::int64_t heads);
  void mlp_block(std::int64_t thread, const StepView& step, const CpuLayerWeights<T>& layer);
  void head(std::int64_t thread, const StepView& step);
  void head_chunk(ThreadScratch& scratch, const StepView& step, std::int64_t chunk);
  void merge_chunks(const StepView& step, std::int64_t query);

  // Norm of all rows of the residual stream into `normed`.
  void normalise(std::int64_t thread, const StepView& step, const T* weight) {
    team_.phase(thread, count(step.rows), [&](std::int64_t row) {
      kernels_.rms_norm(&scratch_.hidden[offset(row, shape_.hidden)], weight, shape_.hidden, epsilon_,
                        &scratch_.normed[offset(row, shape_.hidden)]);
    });
  }

  // hidden += input W^T + bias, shared out by chunks of outputs.
  void project_and_add(std::int64_t thread, const StepView& step, CpuMatrix<T> weight, const std::vector<float>& bias,
                       const std::vector<T>& input);

  static std::int64_t count(std::span<const DecoderRow> rows) { return static_cast<std::int64_t>(rows.size()); }
  static std::size_t offset(std::int64_t row, std::int64_t width) { return static_cast<std::size_t>(row * width); }
  // Outputs of a linear layer that are one item of work: as many as the kernels like, if each thread has a share.
  std::int64_t output_chunk(std::int64_t outputs) const {
    constexpr std::int64_t kLeast = 16, kItemsPerThread = 8;
    std::int64_t chunk = kernels_.most_outputs;
    while (chunk > kLeast && outputs < chunk * kItemsPerThread * team_.most_threads()) chunk /= 2;
    return chunk;
  }
  static std::int64_t chunks(std::int64_t outputs, std::int64_t chunk) { return (outputs + chunk - 1) / chunk; }
  ThreadScratch& of_thread(std::int64_t thread) { return scratch_.threads[static_cast<std::size_t>(thread)]; }

  const DecoderWeights& weights_;
  const DecoderLimits limits_;
  const CpuKernels<T>& kernels_;
  const float epsilon_;
  const float score_scale_;
  const std::vector<CpuLayerWeights<T>> layers_;
  CpuTeam team_;
  CpuScratch<T> scratch_;
  const CpuShape& shape_;
};

template <typename T>
void CpuDecoder<T>::check(std::span<const DecoderRow> rows, std::span<const HeadQuery> queries,
                          std::span<HeadResult> results) const {
  const auto refuse = [](const char* what, std::int64_t a, std::int64_t b) {
    throw Error(ErrorCode::kInternal,
                std::string("decoder step: ") + what + " (" + std::to_string(a) + ", " + std::to_string(b) + ")");
  };
  if (rows.empty() || count(rows) > limits_.max_rows) refuse("rows, at most", count(rows), limits_.max_rows);
  if (queries.size() > rows.size() || results.size() != queries.size()) {
    refuse("queries and results do not fit", static_cast<std::int64_t>(queries.size()),
           static_cast<std::int64_t>(results.size()));
  }
  for (const DecoderRow& row : rows) {
    if (row.token < 0 || row.token >= shape_.vocab) refuse("token outside the vocabulary of", row.token, shape_.vocab);
    if (row.position < 0 || row.position >= limits_.max_positions)
      refuse("position, at most", row.position, limits_.max_positions);
    if (row.slot_start < 0 || row.slot_start + row.position >= limits_.arena_tokens) {
      refuse("place outside the arena of", row.slot_start + row.position, limits_.arena_tokens);
    }
  }
  for (const HeadQuery& query : queries) {
    if (query.row < 0 || query.row >= count(rows)) refuse("query of row, rows", query.row, count(rows));
    if (query.target >= shape_.vocab) refuse("target outside the vocabulary of", query.target, shape_.vocab);
  }
}

template <typename T>
void CpuDecoder<T>::embed(std::int64_t thread, const StepView& step) {
  const T* table = weight_data<T>(weights_.embedding);
  team_.phase(thread, count(step.rows), [&](std::int64_t row) {
    kernels_.widen(table + step.rows[static_cast<std::size_t>(row)].token * shape_.hidden, shape_.hidden,
                   &scratch_.hidden[offset(row, shape_.hidden)]);
  });
}

template <typename T>
void CpuDecoder<T>::project_and_add(std::int64_t thread, const StepView& step, CpuMatrix<T> weight,
                                    const std::vector<float>& bias, const std::vector<T>& input) {
  const std::int64_t most = output_chunk(shape_.hidden);
  team_.phase(thread, chunks(shape_.hidden, most), [&](std::int64_t chunk) {
    const std::int64_t first = chunk * most;
    const std::int64_t outs = std::min(most, shape_.hidden - first);
    float* tile = of_thread(thread).tile.data();
    kernels_.linear({weight.data + first * weight.stride, weight.stride}, outs, {input.data(), weight.stride},
                    count(step.rows), weight.stride, tile, most);
    for (std::int64_t row = 0; row < count(step.rows); ++row) {
      float* sum = &scratch_.hidden[offset(row, shape_.hidden) + static_cast<std::size_t>(first)];
      if (!bias.empty()) kernels_.add(&bias[static_cast<std::size_t>(first)], outs, tile + row * most);
      kernels_.add(tile + row * most, outs, sum);
    }
  });
}

template <typename T>
void CpuDecoder<T>::attention_block(std::int64_t thread, const StepView& step, std::int64_t layer) {
  const CpuLayerWeights<T>& weights = layers_[static_cast<std::size_t>(layer)];
  const std::int64_t rows = count(step.rows);
  normalise(thread, step, weights.attention_norm);
  const std::int64_t most = output_chunk(shape_.qkv_size);
  team_.phase(thread, chunks(shape_.qkv_size, most), [&](std::int64_t chunk) {
    const std::int64_t first = chunk * most;
    const std::int64_t outs = std::min(most, shape_.qkv_size - first);
    kernels_.linear({weights.qkv.data + first * shape_.hidden, shape_.hidden}, outs,
                    {scratch_.normed.data(), shape_.hidden}, rows, shape_.hidden, scratch_.qkv.data() + first,
                    shape_.qkv_size);
  });
  team_.phase(thread, rows, [&](std::int64_t row) {
    if (!weights.qkv_bias.empty()) {
      kernels_.add(weights.qkv_bias.data(), shape_.qkv_size, &scratch_.qkv[offset(row, shape_.qkv_size)]);
    }
    rotate_and_store(step.rows[static_cast<std::size_t>(row)], row, layer);
  });
  // Query heads that share a key head go together; with few rows they are split so that every thread has some.
  const bool split = rows * shape_.kv_heads < 4 * team_.most_threads();
  const std::int64_t together = split ? 1 : shape_.group;
  const std::int64_t parts = shape_.heads / together;
  team_.phase(thread, rows * parts, [&](std::int64_t item) {
    const std::int64_t row = item / parts;
    attend(of_thread(thread), step.rows[static_cast<std::size_t>(row)], row, layer, item % parts * together, together);
  });
  project_and_add(thread, step, weights.output, weights.output_bias, scratch_.attention);
}

template <typename T>
void CpuDecoder<T>::rotate_and_store(const DecoderRow& row, std::int64_t index, std::int64_t layer) {
  const std::int64_t size = shape_.head_dim;
  const std::int64_t place = row.slot_start + row.position;
  const float* cos = &scratch_.tables.cos[offset(row.position, scratch_.tables.half)];
  const float* sin = &scratch_.tables.sin[offset(row.position, scratch_.tables.half)];
  const float* from = &scratch_.qkv[offset(index, shape_.qkv_size)];
  T* query = &scratch_.query[offset(index, shape_.query_size)];
  for (std::int64_t head = 0; head < shape_.heads; ++head) {
    kernels_.rotate(from + head * size, cos, sin, scratch_.tables.half, query + head * size);
  }
  const float* keys = from + shape_.query_size;
  const float* values = keys + shape_.kv_heads * size;
  for (std::int64_t head = 0; head < shape_.kv_heads; ++head) {
    kernels_.rotate(keys + head * size, cos, sin, scratch_.tables.half, scratch_.keys(layer, head, place));
    kernels_.convert(values + head * size, size, scratch_.values(layer, head, place));
  }
}

// Scores are the linear layer whose weights are the cached keys.
template <typename T>
void CpuDecoder<T>::attend(ThreadScratch& scratch, const DecoderRow& row, std::int64_t index, std::int64_t layer,
                           std::int64_t first_head, std::int64_t heads) {
  const std::int64_t size = shape_.head_dim;
  const std::int64_t length = row.position + 1;
  const std::int64_t key_head = first_head / shape_.group;
  const std::size_t at = offset(index, shape_.query_size) + static_cast<std::size_t>(first_head * size);
  float* scores = scratch.scores.data();
  kernels_.linear({scratch_.keys(layer, key_head, row.slot_start), size}, length, {&scratch_.query[at], size}, heads,
                  size, scores, limits_.max_positions);
  for (std::int64_t head = 0; head < heads; ++head) {
    kernels_.softmax(scores + head * limits_.max_positions, length, score_scale_);
  }
  kernels_.weighted_sum(scores, limits_.max_positions, heads, {scratch_.values(layer, key_head, row.slot_start), size},
                        length, size, &scratch_.attention[at], size);
}

template <typename T>
void CpuDecoder<T>::mlp_block(std::int64_t thread, const StepView& step, const CpuLayerWeights<T>& layer) {
  const std::int64_t rows = count(step.rows);
  normalise(thread, step, layer.mlp_norm);
  const std::int64_t most = output_chunk(shape_.intermediate);
  team_.phase(thread, chunks(shape_.intermediate, most), [&](std::int64_t chunk) {
    const std::int64_t first = chunk * most;
    const std::int64_t outs = std::min(most, shape_.intermediate - first);
    float* gate = of_thread(thread).tile.data();
    float* up = gate + rows * most;
    const CpuMatrix<T> input{scratch_.normed.data(), shape_.hidden};
    const T* matrix = layer.gate_up.data;
    kernels_.linear({matrix + first * shape_.hidden, shape_.hidden}, outs, input, rows, shape_.hidden, gate, most);
    kernels_.linear({matrix + (shape_.intermediate + first) * shape_.hidden, shape_.hidden}, outs, input, rows,
                    shape_.hidden, up, most);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t at = row * most;
      if (!layer.gate_up_bias.empty()) {
        kernels_.add(&layer.gate_up_bias[static_cast<std::size_t>(first)], outs, gate + at);
        kernels_.add(&layer.gate_up_bias[static_cast<std::size_t>(shape_.intermediate + first)], outs, up + at);
      }
      kernels_.silu_multiply(gate + at, up + at, outs,
                             &scratch_.activation[offset(row, shape_.intermediate) + static_cast<std::size_t>(first)]);
    }
  });
  project_and_add(thread, step, layer.down, layer.down_bias, scratch_.activation);
}

template <typename T>
void CpuDecoder<T>::head(std::int64_t thread, const StepView& step) {
  const std::int64_t queries = static_cast<std::int64_t>(step.queries.size());
  const T* norm = weight_data<T>(weights_.final_norm);
  team_.phase(thread, queries, [&](std::int64_t query) {
    const std::int64_t row = step.queries[static_cast<std::size_t>(query)].row;
    kernels_.rms_norm(&scratch_.hidden[offset(row, shape_.hidden)], norm, shape_.hidden, epsilon_,
                      &scratch_.normed[offset(query, shape_.hidden)]);
  });
  team_.phase(thread, shape_.head_chunks(), [&](std::int64_t chunk) { head_chunk(of_thread(thread), step, chunk); });
  team_.phase(thread, queries, [&](std::int64_t query) { merge_chunks(step, query); });
}

template <typename T>
void CpuDecoder<T>::head_chunk(ThreadScratch& scratch, const StepView& step, std::int64_t chunk) {
  const std::int64_t first = chunk * kHeadChunk;
  const std::int64_t size = std::min(kHeadChunk, shape_.vocab - first);
  const std::int64_t queries = static_cast<std::int64_t>(step.queries.size());
  kernels_.linear({weight_data<T>(weights_.head) + first * shape_.hidden, shape_.hidden}, size,
                  {scratch_.normed.data(), shape_.hidden}, queries, shape_.hidden, scratch.tile.data(), kHeadChunk);
  for (std::int64_t q = 0; q < queries; ++q) {
    const HeadQuery& query = step.queries[static_cast<std::size_t>(q)];
    const float* logits = scratch.tile.data() + q * kHeadChunk;
    HeadChunkStatistics& part = scratch_.statistics[static_cast<std::size_t>(q * shape_.head_chunks() + chunk)];
    kernels_.logit_statistics(logits, size, &part.largest, &part.index, &part.sum);
    part.index += first;
    if (query.logits != nullptr) std::copy(logits, logits + size, query.logits + first);
    if (query.target >= first && query.target < first + size) {
      step.results[static_cast<std::size_t>(q)].target_logit = logits[query.target - first];
    }
  }
}

template <typename T>
void CpuDecoder<T>::merge_chunks(const StepView& step, std::int64_t query) {
  const HeadChunkStatistics* parts = &scratch_.statistics[offset(query, shape_.head_chunks())];
  const HeadChunkStatistics* best = parts;
  for (std::int64_t c = 1; c < shape_.head_chunks(); ++c) {
    if (parts[c].largest > best->largest) best = parts + c;
  }
  double sum = 0;
  for (std::int64_t c = 0; c < shape_.head_chunks(); ++c) {
    sum += static_cast<double>(parts[c].sum) * std::exp(parts[c].largest - best->largest);
  }
  HeadResult& result = step.results[static_cast<std::size_t>(query)];
  result.best = best->index;
  result.max_logit = best->largest;
  result.log_sum = std::log(sum);
}

}  // namespace

std::unique_ptr<Decoder> make_cpu_decoder(const DecoderWeights& weights, const DecoderLimits& limits, CpuLevel level) {
  if (weights.dtype == at::kBFloat16) return std::make_unique<CpuDecoder<Bfloat16>>(weights, limits, level);
  return std::make_unique<CpuDecoder<float>>(weights, limits, level);
}

}  // namespace cutd
