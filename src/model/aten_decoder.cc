#include "model/aten_decoder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "model/rope.h"

namespace cutd {
namespace {

// Rows of one sequence: [first, first + rows) of the step, at places [start, start + length) of the arena once run.
struct Segment {
  std::int64_t first;
  std::int64_t rows;
  std::int64_t start;
  std::int64_t length;
};

std::vector<Segment> find_segments(std::span<const DecoderRow> rows) {
  std::vector<Segment> segments;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (segments.empty() || segments.back().start != rows[i].slot_start || rows[i].position != segments.back().length) {
      segments.push_back({static_cast<std::int64_t>(i), 0, rows[i].slot_start, rows[i].position});
    }
    ++segments.back().rows;
    ++segments.back().length;
  }
  return segments;
}

// What a step's layers share, on the device.
struct StepTensors {
  at::Tensor places;  // [rows] arena places
  at::Tensor cos;     // [rows, 1, head_dim] fp32
  at::Tensor sin;
  std::vector<Segment> segments;
  at::Tensor query_starts;  // [segments + 1] int32: of rows; only for the packed kernel
  at::Tensor key_starts;    // [segments + 1] int32: of arena places
  at::Tensor key_lengths;   // [segments] int32
  std::int64_t most_rows = 0;
  std::int64_t most_keys = 0;
};

class AtenDecoder final : public Decoder {
 public:
  AtenDecoder(const DecoderWeights& weights, const DecoderLimits& limits)
      : weights_(weights),
        limits_(limits),
        packed_(weights.device.is_cuda() && weights.dtype == at::kBFloat16 && weights.config.head_dim % 8 == 0 &&
                weights.config.head_dim <= 256),
        scale_(1 / std::sqrt(static_cast<double>(weights.config.head_dim))) {
    const ModelConfig& config = weights.config;
    const RopeTables tables = make_rope_tables(config, limits.max_positions);
    cos_ = repeat_halves(tables.cos, tables);
    sin_ = repeat_halves(tables.sin, tables);
    const auto options = at::TensorOptions().dtype(weights.dtype).device(weights.device);
    try {
      for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        keys_.push_back(at::zeros({limits.arena_tokens, config.kv_heads, config.head_dim}, options));
        values_.push_back(at::zeros({limits.arena_tokens, config.kv_heads, config.head_dim}, options));
      }
    } catch (const c10::OutOfMemoryError&) {
      throw Error(ErrorCode::kResource, "the key and value cache of " + std::to_string(limits.arena_tokens) +
                                            " tokens does not fit into the memory of " + weights.device.str());
    }
  }

  const DecoderLimits& limits() const override { return limits_; }

  void copy(std::int64_t from, std::int64_t to, std::int64_t count) override {
    check_copy(limits_, from, to, count);
    for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
      keys_[layer].narrow(0, to, count).copy_(keys_[layer].narrow(0, from, count));
      values_[layer].narrow(0, to, count).copy_(values_[layer].narrow(0, from, count));
    }
  }

  void run(std::span<const DecoderRow> rows, std::span<const HeadQuery> queries,
           std::span<HeadResult> results) override {
    if (rows.empty() || static_cast<std::int64_t>(rows.size()) > limits_.max_rows || results.size() != queries.size()) {
      throw Error(ErrorCode::kInternal, "decoder step of " + std::to_string(rows.size()) + " rows; at most " +
                                            std::to_string(limits_.max_rows));
    }
    const at::NoGradGuard no_grad;
    std::vector<std::int64_t> tokens;
    for (const DecoderRow& row : rows) tokens.push_back(row.token);
    const StepTensors step = prepare(rows);
    at::Tensor hidden = at::embedding(weights_.embedding, on_device(tokens));
    for (std::size_t layer = 0; layer < weights_.layers.size(); ++layer) run_layer(layer, step, hidden);
    if (!queries.empty()) read_head(hidden, queries, results);
  }

 private:
  at::Tensor repeat_halves(const std::vector<float>& table, const RopeTables& tables) const {
    const at::Tensor half = at::tensor(table).view({tables.positions, tables.half});
    return at::cat({half, half}, 1).unsqueeze(1).to(weights_.device);
  }
  at::Tensor on_device(const std::vector<std::int64_t>& values) const { return at::tensor(values).to(weights_.device); }

  StepTensors prepare(std::span<const DecoderRow> rows) const;
  void run_layer(std::size_t layer, const StepTensors& step, at::Tensor& hidden);
  at::Tensor attend(std::size_t layer, const StepTensors& step, const at::Tensor& query) const;
  at::Tensor attend_segment(std::size_t layer, const Segment& segment, const at::Tensor& query) const;
  void read_head(const at::Tensor& hidden, std::span<const HeadQuery> queries, std::span<HeadResult> results) const;
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const {
    return at::rms_norm(x, {weights_.config.hidden_size}, weight, weights_.config.rms_norm_eps);
  }

  const DecoderWeights& weights_;
  const DecoderLimits limits_;
  const bool packed_;  // all sequences in one variable-length attention kernel
  const double scale_;
  at::Tensor cos_;  // [positions, 1, head_dim] fp32
  at::Tensor sin_;
  std::vector<at::Tensor> keys_;  // per layer [arena_tokens, kv_heads, head_dim]
  std::vector<at::Tensor> values_;
};

StepTensors AtenDecoder::prepare(std::span<const DecoderRow> rows) const {
  std::vector<std::int64_t> places;
  std::vector<std::int64_t> positions;
  for (const DecoderRow& row : rows) {
    places.push_back(row.slot_start + row.position);
    positions.push_back(row.position);
  }
  StepTensors step;
  step.places = on_device(places);
  const at::Tensor at_positions = on_device(positions);
  step.cos = cos_.index_select(0, at_positions);
  step.sin = sin_.index_select(0, at_positions);
  step.segments = find_segments(rows);
  if (!packed_) return step;
  std::vector<std::int32_t> query_starts;
  std::vector<std::int32_t> key_starts;
  std::vector<std::int32_t> key_lengths;
  for (const Segment& segment : step.segments) {
    query_starts.push_back(static_cast<std::int32_t>(segment.first));
    key_starts.push_back(static_cast<std::int32_t>(segment.start));
    key_lengths.push_back(static_cast<std::int32_t>(segment.length));
    step.most_rows = std::max(step.most_rows, segment.rows);
    step.most_keys = std::max(step.most_keys, segment.length);
  }
  query_starts.push_back(static_cast<std::int32_t>(rows.size()));
  key_starts.push_back(key_starts.back() + key_lengths.back());
  step.query_starts = at::tensor(query_starts).to(weights_.device);
  step.key_starts = at::tensor(key_starts).to(weights_.device);
  step.key_lengths = at::tensor(key_lengths).to(weights_.device);
  return step;
}

void AtenDecoder::run_layer(std::size_t index, const StepTensors& step, at::Tensor& hidden) {
  const ModelConfig& config = weights_.config;
  const LayerWeights& layer = weights_.layers[index];
  const at::Tensor qkv = at::linear(norm(hidden, layer.attention_norm), layer.qkv, layer.qkv_bias)
                             .view({hidden.size(0), config.heads + 2 * config.kv_heads, config.head_dim});
  const at::Tensor both = qkv.narrow(1, 0, config.heads + config.kv_heads);  // queries and keys turn together
  const std::int64_t half = config.head_dim / 2;
  const at::Tensor swapped = at::cat({both.narrow(2, half, half).neg(), both.narrow(2, 0, half)}, 2);
  const at::Tensor turned = (both * step.cos + swapped * step.sin).to(weights_.dtype);
  keys_[index].index_copy_(0, step.places, turned.narrow(1, config.heads, config.kv_heads));
  values_[index].index_copy_(0, step.places, qkv.narrow(1, config.heads + config.kv_heads, config.kv_heads));
  const at::Tensor mixed = attend(index, step, turned.narrow(1, 0, config.heads));
  hidden = hidden + at::linear(mixed.reshape({hidden.size(0), -1}), layer.output, layer.output_bias);

  const at::Tensor gate_up = at::linear(norm(hidden, layer.mlp_norm), layer.gate_up, layer.gate_up_bias);
  const std::int64_t width = config.intermediate_size;
  const at::Tensor active = at::silu(gate_up.narrow(1, 0, width)).mul_(gate_up.narrow(1, width, width));
  hidden = hidden + at::linear(active, layer.down, layer.down_bias);
}

// `query` [rows, heads, head_dim]; the answer has the same shape.
at::Tensor AtenDecoder::attend(std::size_t layer, const StepTensors& step, const at::Tensor& query) const {
  if (packed_) {
    // Causal is aligned at the last key: right for a chunk of a prompt as for a single new token.
    return std::get<0>(at::_flash_attention_forward(query.contiguous(), keys_[layer], values_[layer], step.query_starts,
                                                    step.key_starts, step.most_rows, step.most_keys, 0.0,
                                                    /*is_causal=*/true, false, scale_, std::nullopt, std::nullopt,
                                                    step.key_lengths));
  }
  std::vector<at::Tensor> parts;
  for (const Segment& segment : step.segments) parts.push_back(attend_segment(layer, segment, query));
  return at::cat(parts, 0);
}

at::Tensor AtenDecoder::attend_segment(std::size_t layer, const Segment& segment, const at::Tensor& query) const {
  const std::int64_t group = weights_.config.heads / weights_.config.kv_heads;
  const auto by_head = [&](const at::Tensor& arena) {
    return arena.narrow(0, segment.start, segment.length).transpose(0, 1).repeat_interleave(group, 0);
  };
  const at::Tensor queries = query.narrow(0, segment.first, segment.rows).transpose(0, 1);
  at::Tensor scores = at::matmul(queries, by_head(keys_[layer]).transpose(1, 2)).to(at::kFloat) * scale_;
  if (segment.rows > 1) {
    const at::Tensor hidden_keys = at::ones({segment.rows, segment.length}, query.options().dtype(at::kBool))
                                       .triu(segment.length - segment.rows + 1);
    scores = scores.masked_fill(hidden_keys, -std::numeric_limits<double>::infinity());
  }
  const at::Tensor weights = at::softmax(scores, -1).to(weights_.dtype);
  return at::matmul(weights, by_head(values_[layer])).transpose(0, 1);
}

void AtenDecoder::read_head(const at::Tensor& hidden, std::span<const HeadQuery> queries,
                            std::span<HeadResult> results) const {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> targets;
  for (const HeadQuery& query : queries) {
    rows.push_back(query.row);
    targets.push_back(std::max<std::int64_t>(query.target, 0));
  }
  const at::Tensor chosen = norm(hidden.index_select(0, on_device(rows)), weights_.final_norm);
  const at::Tensor logits = at::linear(chosen, weights_.head).to(at::kFloat);
  const auto [largest, best] = logits.max(1);
  const at::Tensor log_sum = (logits - largest.unsqueeze(1)).exp_().sum(1).log_();
  const at::Tensor target = logits.gather(1, on_device(targets).unsqueeze(1)).squeeze(1);
  const at::Tensor numbers = at::stack({largest, log_sum, target}).to(at::kCPU).contiguous();
  const at::Tensor indices = best.to(at::kCPU);
  const auto* number = numbers.const_data_ptr<float>();
  const std::size_t count = queries.size();
  for (std::size_t q = 0; q < count; ++q) {
    results[q] = {indices.const_data_ptr<std::int64_t>()[q], number[q], number[count + q], number[2 * count + q]};
    if (queries[q].logits == nullptr) continue;
    const at::Tensor row = logits[static_cast<std::int64_t>(q)].to(at::kCPU).contiguous();
    std::copy_n(row.const_data_ptr<float>(), row.numel(), queries[q].logits);
  }
}

}  // namespace

std::unique_ptr<Decoder> make_aten_decoder(const DecoderWeights& weights, const DecoderLimits& limits) {
  return std::make_unique<AtenDecoder>(weights, limits);
}

}  // namespace cutd
