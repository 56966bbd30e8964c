// The decoder for inference: runs rows (tokens at positions of sequences) through all layers, keeps their keys
// and values in an arena, and reads the head for chosen rows. Prefill and decode are the same call with more or
// fewer rows, so sequences of any length mix freely in one step.
//
// Two implementations: hand-written kernels on the CPU (cpu_decoder.h), where every row's result has the same
// bits whatever else is in the batch, and LibTorch operators (aten_decoder.h) for GPUs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/decoder_weights.h"

namespace cutd {

// One token to run. Its key and value go to arena place `slot_start + position`; it sees places
// [slot_start, slot_start + position]. All rows of a slot in one call have consecutive ascending positions and
// are adjacent; earlier positions were run before.
struct DecoderRow {
  std::int64_t token = 0;
  std::int64_t slot_start = 0;
  std::int64_t position = 0;
};

// Which rows' next-token distribution is wanted.
struct HeadQuery {
  std::int64_t row = 0;
  std::int64_t target = -1;  // token whose logit is wanted; -1: none
  float* logits = nullptr;   // receives all vocab_size logits (fp32) unless null
};

// From fp32 logits x: all log-probabilities are x[i] - max - log_sum.
struct HeadResult {
  std::int64_t best = 0;  // argmax; the lowest id among equals
  float max_logit = 0;
  double log_sum = 0;  // log of the sum of exp(x[i] - max_logit)
  float target_logit = 0;

  double logprob(float logit) const { return (static_cast<double>(logit) - max_logit) - log_sum; }
};

struct DecoderLimits {
  std::int64_t arena_tokens = 0;   // places for keys and values, over all sequences
  std::int64_t max_rows = 256;     // most rows a call may have
  std::int64_t max_positions = 0;  // longest sequence: bounds the rotary tables
  std::int64_t threads = 0;        // CPU kernels; 0: LibTorch's number
};

// Owns the arena and all scratch memory, so that a step allocates nothing (CPU). Holds a reference to weights
// that must outlive it; they may be refolded between calls. One thread at a time.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Error(kInternal) for rows outside the limits; token ids must be in the vocabulary.
  virtual void run(std::span<const DecoderRow> rows, std::span<const HeadQuery> queries,
                   std::span<HeadResult> results) = 0;

  // Copies the keys and values of arena places [from, from + count) to [to, to + count), which lie apart.
  // Error(kInternal) for others.
  virtual void copy(std::int64_t from, std::int64_t to, std::int64_t count) = 0;

  virtual const DecoderLimits& limits() const = 0;
};

enum class DecoderKind {
  kAutomatic,  // CPU kernels for weights on the CPU, operators otherwise
  kOperators,  // LibTorch operators anywhere
};

// For implementations of Decoder::copy. Error(kInternal) unless both ranges lie in the arena, and apart.
void check_copy(const DecoderLimits& limits, std::int64_t from, std::int64_t to, std::int64_t count);

// Error(kResource) when the arena does not fit into memory.
std::unique_ptr<Decoder> make_decoder(const DecoderWeights& weights, const DecoderLimits& limits,
                                      DecoderKind kind = DecoderKind::kAutomatic);

}  // namespace cutd
