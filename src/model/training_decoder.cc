#include "model/training_decoder.h"

#include <algorithm>
#include <new>

#include "core/error.h"
#include "core/random.h"
#include "model/rope.h"
#include "model/training_head.h"
#include "model/training_layer.h"

namespace cutd {
namespace {

// A pack as flat arrays.
struct PackRows {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> positions;
  std::vector<std::uint32_t> sequences;  // TrainingSequence::number of each row
  std::vector<std::int64_t> label_rows;  // rows whose output predicts a label token
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> lengths;
};

PackRows flatten(std::span<const TrainingSequence> pack, std::int64_t vocab_size) {
  PackRows rows;
  for (const TrainingSequence& sequence : pack) {
    if (sequence.prompt.empty() || sequence.response.empty()) {
      throw Error(ErrorCode::kBadInput, "a training sequence needs a prompt and a response token");
    }
    const std::int64_t first = static_cast<std::int64_t>(rows.ids.size());
    rows.ids.insert(rows.ids.end(), sequence.prompt.begin(), sequence.prompt.end());
    rows.ids.insert(rows.ids.end(), sequence.response.begin(), sequence.response.end());
    for (std::int64_t position = 0; position < sequence.tokens(); ++position) {
      const std::int64_t id = rows.ids[static_cast<std::size_t>(first + position)];
      if (id < 0 || id >= vocab_size) {
        throw Error(ErrorCode::kBadInput, "token id " + std::to_string(id) + " is outside the model's vocabulary of " +
                                              std::to_string(vocab_size));
      }
      rows.positions.push_back(position);
      rows.sequences.push_back(sequence.number);
    }
    const std::int64_t first_label = static_cast<std::int64_t>(sequence.prompt.size());
    for (std::int64_t position = first_label; position < sequence.tokens(); ++position) {
      rows.label_rows.push_back(first + position - 1);
      rows.labels.push_back(rows.ids[static_cast<std::size_t>(first + position)]);
    }
    rows.lengths.push_back(sequence.tokens());
  }
  return rows;
}

at::Tensor to_tensor(const std::vector<std::int64_t>& values, const at::Device& device) {
  return at::tensor(values, at::kLong).to(device);
}

// [lengths + 1] int32: 0 and the running sums.
at::Tensor starts_of(const std::vector<std::int64_t>& lengths, const at::Device& device) {
  std::vector<std::int32_t> starts{0};
  for (const std::int64_t length : lengths) starts.push_back(starts.back() + static_cast<std::int32_t>(length));
  return at::tensor(starts, at::kInt).to(device);
}

at::Tensor to_tensor(const std::vector<std::uint32_t>& values, const at::Device& device) {
  return to_tensor(std::vector<std::int64_t>(values.begin(), values.end()), device);
}

}  // namespace

struct TrainingDecoder::State {
  State(const DecoderWeights& decoder_weights, TrainableLora& trainable, const TrainingDecoderOptions& decoder_options)
      : weights(decoder_weights), lora(trainable), options(decoder_options), head(decoder_weights) {}

  const DecoderWeights& weights;
  TrainableLora& lora;
  const TrainingDecoderOptions options;
  const TrainingHead head;

  // Memory, reused from pack to pack: one state per layer, one more that layers without own memory share.
  std::int64_t capacity = 0;
  bool gradient_capacity = false;
  std::vector<LayerState> layer_memory;  // recomputed layers only have `input`
  LayerState shared_memory;
  LayerScratch scratch_memory;
  at::Tensor last_memory;      // output of the last layer
  at::Tensor gradient_memory;  // fp32
  std::int64_t rotary_positions = 0;
  training_ops::RotaryPositions rotary;

  // The pack that backward belongs to.
  PackContext context;
  std::vector<LayerState> layers;
  LayerState shared;
  LayerScratch scratch;
  at::Tensor last;
  at::Tensor label_rows;
  at::Tensor final_inverse;
  at::Tensor directions;
  std::vector<std::size_t> label_counts;

  bool recomputed(std::int64_t layer) const { return layer < options.recompute_layers; }
  void reserve(std::int64_t rows, bool gradient);
  void open(const PackRows& rows, std::int64_t step, bool gradient);
  void run_layers(const PackRows& rows, bool gradient);
  LayerState borrowed(std::int64_t layer) const;
};

// Grows the memory to `rows` rows. The old tensors go first, so that both never exist together.
void TrainingDecoder::State::reserve(std::int64_t rows, bool gradient) {
  if (rows <= capacity && (gradient_capacity || !gradient)) return;
  const std::int64_t size = std::max(rows, capacity);
  gradient = gradient || gradient_capacity;
  capacity = 0;
  gradient_capacity = false;
  layers.clear();
  layer_memory.clear();
  shared = shared_memory = LayerState();
  scratch = scratch_memory = LayerScratch();
  last = last_memory = gradient_memory = at::Tensor();
  const at::TensorOptions type = at::TensorOptions().dtype(weights.dtype).device(weights.device);
  shared_memory = make_layer_state(weights, size);
  scratch_memory = make_layer_scratch(weights, size, gradient);
  last_memory = at::empty({size, weights.config.hidden_size}, type);
  if (gradient) {
    gradient_memory = at::empty({size, weights.config.hidden_size}, type.dtype(at::kFloat));
    for (std::int64_t layer = 0; layer < weights.config.layers; ++layer) {
      if (!recomputed(layer)) {
        layer_memory.push_back(make_layer_state(weights, size));
        continue;
      }
      layer_memory.emplace_back();
      layer_memory.back().input = at::empty({size, weights.config.hidden_size}, type);
    }
  }
  capacity = size;
  gradient_capacity = gradient;
}

namespace {

at::Tensor first_rows(const at::Tensor& memory, std::int64_t rows) {
  return memory.defined() ? memory.narrow(0, 0, rows) : memory;
}

LayerState first_rows(const LayerState& memory, std::int64_t rows) {
  LayerState state;
  state.input = first_rows(memory.input, rows);
  state.attention_inverse = first_rows(memory.attention_inverse, rows);
  state.qkv = first_rows(memory.qkv, rows);
  state.attended = first_rows(memory.attended, rows);
  // [heads, rows] of its own, contiguous, in the memory of the larger one.
  if (memory.log_sums.defined()) {
    const std::int64_t heads = memory.log_sums.size(0);
    state.log_sums = memory.log_sums.view({-1}).narrow(0, 0, heads * rows).view({heads, rows});
  }
  state.middle = first_rows(memory.middle, rows);
  state.mlp_inverse = first_rows(memory.mlp_inverse, rows);
  state.gate_up = first_rows(memory.gate_up, rows);
  return state;
}

LayerScratch first_rows(const LayerScratch& memory, std::int64_t rows) {
  LayerScratch scratch;
  scratch.normalised = first_rows(memory.normalised, rows);
  scratch.hidden = first_rows(memory.hidden, rows);
  scratch.activated = first_rows(memory.activated, rows);
  scratch.activated_gradient = first_rows(memory.activated_gradient, rows);
  scratch.attended_gradient = first_rows(memory.attended_gradient, rows);
  scratch.qkv_gradient = first_rows(memory.qkv_gradient, rows);
  return scratch;
}

}  // namespace

void TrainingDecoder::State::open(const PackRows& rows, std::int64_t step, bool gradient) {
  const std::int64_t count = static_cast<std::int64_t>(rows.ids.size());
  reserve(count, gradient);
  const std::int64_t longest = *std::max_element(rows.lengths.begin(), rows.lengths.end());
  if (longest > rotary_positions) {
    const RopeTables tables = make_rope_tables(weights.config, longest);
    rotary.cos = at::tensor(tables.cos, at::kFloat).view({longest, tables.half}).to(weights.device);
    rotary.sin = at::tensor(tables.sin, at::kFloat).view({longest, tables.half}).to(weights.device);
    rotary_positions = longest;
  }
  context.rotary = rotary;
  context.rotary.positions = to_tensor(rows.positions, weights.device);
  context.attention = {weights.config.heads, weights.config.kv_heads, weights.config.head_dim, rows.lengths, {}};
  if (!weights.device.is_cpu()) context.attention.starts = starts_of(rows.lengths, weights.device);
  context.lora.scale = lora.scale();
  training_ops::DropoutMask& mask = context.lora.mask;
  mask.probability = options.dropout ? lora.dropout() : 0;
  if (mask.probability > 0) {
    mask.key = static_cast<std::uint64_t>(
        derive_seed(static_cast<std::int64_t>(options.seed), "dropout " + std::to_string(step)));
    mask.positions.assign(rows.positions.begin(), rows.positions.end());
    mask.sequences = rows.sequences;
    if (!weights.device.is_cpu()) {
      mask.positions_tensor = context.rotary.positions;
      mask.sequences_tensor = to_tensor(rows.sequences, weights.device);
    }
  }
  shared = first_rows(shared_memory, count);
  scratch = first_rows(scratch_memory, count);
  last = first_rows(last_memory, count);
  layers.clear();
  if (!gradient) return;
  for (const LayerState& memory : layer_memory) layers.push_back(first_rows(memory, count));
}

// The shared memory with the kept input of a recomputed layer.
LayerState TrainingDecoder::State::borrowed(std::int64_t layer) const {
  LayerState state = shared;
  state.input = layers[static_cast<std::size_t>(layer)].input;
  return state;
}

void TrainingDecoder::State::run_layers(const PackRows& rows, bool gradient) {
  at::Tensor& start = gradient ? layers.front().input : shared.input;
  at::index_select_out(start, weights.embedding, 0, to_tensor(rows.ids, weights.device));
  for (std::int64_t i = 0; i < weights.config.layers; ++i) {
    const LayerWeights& layer_weights = weights.layers[static_cast<std::size_t>(i)];
    if (!gradient) {
      layer_forward(weights.config, layer_weights, lora.layer(i), context, shared, scratch, shared.input);
      continue;
    }
    at::Tensor& output = i + 1 < weights.config.layers ? layers[static_cast<std::size_t>(i) + 1].input : last;
    if (recomputed(i)) {
      LayerState state = borrowed(i);
      layer_forward(weights.config, layer_weights, lora.layer(i), context, state, scratch, output);
    } else {
      layer_forward(weights.config, layer_weights, lora.layer(i), context, layers[static_cast<std::size_t>(i)], scratch,
                    output);
    }
  }
  if (!gradient) last = shared.input;
}

TrainingDecoder::TrainingDecoder(const DecoderWeights& weights, TrainableLora& lora,
                                 const TrainingDecoderOptions& options)
    : state_(std::make_unique<State>(weights, lora, options)) {}

TrainingDecoder::~TrainingDecoder() = default;

namespace {

[[noreturn]] void throw_out_of_memory(std::int64_t rows) {
  throw Error(ErrorCode::kResource, "not enough memory for a pack of " + std::to_string(rows) +
                                        " tokens: lower train.pack_tokens or raise train.recompute_layers");
}

}  // namespace

std::vector<TokenValues> TrainingDecoder::forward(std::span<const TrainingSequence> pack, std::int64_t step,
                                                  bool gradient) {
  State& state = *state_;
  const PackRows rows = flatten(pack, state.weights.config.vocab_size);
  HeadValues head;
  try {
    state.open(rows, step, gradient);
    state.run_layers(rows, gradient);
    state.label_rows = to_tensor(rows.label_rows, state.weights.device);
    const at::Tensor label_inputs = state.last.index_select(0, state.label_rows);
    at::Tensor normalised = at::empty_like(label_inputs);
    state.final_inverse = at::empty({label_inputs.size(0)}, label_inputs.options().dtype(at::kFloat));
    training_ops::rms_norm(label_inputs, state.weights.final_norm, state.weights.config.rms_norm_eps, normalised,
                           state.final_inverse);
    head = state.head.run(normalised, to_tensor(rows.labels, state.weights.device), gradient);
  } catch (const c10::OutOfMemoryError&) {
    throw_out_of_memory(static_cast<std::int64_t>(rows.ids.size()));
  } catch (const std::bad_alloc&) {
    throw_out_of_memory(static_cast<std::int64_t>(rows.ids.size()));
  }
  state.directions = head.directions;
  state.label_counts.clear();
  std::vector<TokenValues> values;
  std::ptrdiff_t first = 0;
  for (const TrainingSequence& sequence : pack) {
    const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(sequence.response.size());
    values.push_back({{head.log_p.begin() + first, head.log_p.begin() + first + count},
                      {head.log_not_p.begin() + first, head.log_not_p.begin() + first + count}});
    state.label_counts.push_back(sequence.response.size());
    first += count;
  }
  return values;
}

void TrainingDecoder::backward(const std::vector<std::vector<float>>& coefficients) {
  State& state = *state_;
  if (!state.directions.defined() || coefficients.size() != state.label_counts.size()) {
    throw Error(ErrorCode::kInternal, "backward without a matching forward");
  }
  std::vector<float> flat;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i].empty()) flat.insert(flat.end(), state.label_counts[i], 0.0F);
    else flat.insert(flat.end(), coefficients[i].begin(), coefficients[i].end());
  }
  if (static_cast<std::int64_t>(flat.size()) != state.directions.size(0)) {
    throw Error(ErrorCode::kInternal, "a coefficient is needed for every label token");
  }
  const std::int64_t rows = state.last.size(0);
  try {
    at::Tensor gradient = first_rows(state.gradient_memory, rows);
    gradient.zero_();
    const at::Tensor factors = at::tensor(flat, at::kFloat).to(state.weights.device).unsqueeze(1);
    const at::Tensor dhead = (state.directions * factors).to(state.weights.dtype);
    at::Tensor label_gradient = at::zeros(dhead.sizes(), gradient.options());
    training_ops::rms_norm_backward(state.last.index_select(0, state.label_rows), state.weights.final_norm,
                                    state.final_inverse, dhead, label_gradient);
    gradient.index_copy_(0, state.label_rows, label_gradient);
    state.directions = at::Tensor();
    const std::int64_t lowest = state.lora.first_adapted_layer();
    for (std::int64_t i = state.weights.config.layers - 1; i >= lowest; --i) {
      const LayerWeights& weights = state.weights.layers[static_cast<std::size_t>(i)];
      LayerState layer = state.layers[static_cast<std::size_t>(i)];
      if (state.recomputed(i)) {
        layer = state.borrowed(i);
        layer_forward(state.weights.config, weights, state.lora.layer(i), state.context, layer, state.scratch,
                      state.last);
      }
      layer_backward(state.weights.config, weights, state.lora.layer(i), state.context, layer, state.scratch, gradient,
                     i > lowest);
    }
  } catch (const c10::OutOfMemoryError&) {
    throw_out_of_memory(rows);
  } catch (const std::bad_alloc&) {
    throw_out_of_memory(rows);
  }
}

}  // namespace cutd
