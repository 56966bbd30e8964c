// Local generation and scoring over the resident weights. Start here; the parts are generation_run.h (who runs when,
// and where in the arena), sampler.h (which token) and stop_scanner.h (stop strings).
//
// A call is one unit: it starts from an empty cache, admits prompts in their order as places become free and
// lets finished ones leave at once. On the CPU the answer to a prompt does not depend on its companions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/sampling_config.h"
#include "model/decoder.h"
#include "text/tokenizer.h"

namespace cutd {

struct GenerationPrompt {
  std::vector<std::int64_t> ids;
  std::int64_t seed = 0;  // Philox key of this prompt's draws
};

enum class FinishReason { kStop, kLength };
const char* finish_reason_name(FinishReason reason);  // "stop", "length"

struct Generation {
  std::vector<std::int64_t> ids;  // new ids, the EOS that ended it included
  std::string text;               // without special tokens and stop string; empty without a tokenizer
  FinishReason finish_reason = FinishReason::kLength;
  std::vector<double> logprobs;  // of the unmodified model, one per id
};

struct GenerationProgress {
  std::int64_t finished = 0;  // prompts
  std::int64_t total = 0;
  std::int64_t tokens = 0;       // generated so far
  double tokens_per_second = 0;  // generated tokens over the time since the start of the call
};

// Log-probabilities of ids[first..] given everything before, and the model's own choice at each place.
struct ScoreSequence {
  std::vector<std::int64_t> ids;
  std::int64_t first = 1;  // at least 1
};
struct Score {
  std::vector<double> logprobs;   // ids.size() - first values
  std::vector<std::int64_t> top;  // argmax at the same places
};

struct GeneratorOptions {
  std::int64_t max_batch = 32;      // sequences that decode together
  std::int64_t prefill_rows = 256;  // most tokens a step may run
  std::int64_t arena_tokens = 0;    // 0: as the call needs, within arena_bytes
  std::int64_t arena_bytes = std::int64_t{4} << 30;
  std::int64_t threads = 0;
  DecoderKind decoder = DecoderKind::kAutomatic;
};

// One thread at a time. `weights` and `tokenizer` (may be null: no text, no stop strings) must outlive it.
// Error(kBadInput) for ids outside the vocabulary, an empty prompt, or one that leaves no room for a token;
// Error(kCancelled) soon after `stop` is requested (checked each step).
class Generator {
 public:
  using OnProgress = std::function<void(const GenerationProgress&)>;
  // Called after each step with what a prompt gained; text pieces are whole characters, a possible stop string
  // is held back.
  using OnToken = std::function<void(std::size_t prompt, std::int64_t id, const std::string& text)>;

  Generator(const DecoderWeights& weights, const Tokenizer* tokenizer, const GeneratorOptions& options);
  ~Generator();

  // Answers in the order of `prompts`. `max_new_tokens` is cut so that prompt + new ids fit in the model's
  // max_position_embeddings (finish reason "length").
  std::vector<Generation> generate(std::span<const GenerationPrompt> prompts, const SamplingConfig& sampling,
                                   std::stop_token stop, const OnProgress& on_progress = {},
                                   const OnToken& on_token = {});

  std::vector<Score> score(std::span<const ScoreSequence> sequences, std::stop_token stop,
                           const OnProgress& on_progress = {});

 private:
  Decoder& decoder_for(std::int64_t arena_tokens, std::int64_t positions);

  const DecoderWeights& weights_;
  const Tokenizer* tokenizer_;
  const GeneratorOptions options_;
  std::unique_ptr<Decoder> decoder_;  // kept between calls while large enough
};

}  // namespace cutd
