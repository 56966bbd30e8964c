#include "generator/generator.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/signals.h"
#include "generator/generation_run.h"

namespace cutd {
namespace {

using SteadyClock = std::chrono::steady_clock;

void check_ids(std::span<const std::int64_t> ids, std::int64_t vocabulary, std::size_t index) {
  const std::string name = "prompt " + std::to_string(index + 1);
  if (ids.empty()) throw Error(ErrorCode::kBadInput, name + " has no ids");
  for (const std::int64_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      throw Error(ErrorCode::kBadInput,
                  name + ": id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(vocabulary));
    }
  }
}

// Checks every prompt; arena places that the longest one needs with its response.
std::int64_t slot_size_of(std::span<const GenerationPrompt> prompts, const ModelConfig& config,
                          const SamplingConfig& sampling) {
  std::int64_t slot = 1;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    check_ids(prompts[i].ids, config.vocab_size, i);
    const auto length = static_cast<std::int64_t>(prompts[i].ids.size());
    if (length >= config.max_position_embeddings) {
      throw Error(ErrorCode::kBadInput, "prompt " + std::to_string(i + 1) + " has " + std::to_string(length) +
                                            " ids, the model takes " + std::to_string(config.max_position_embeddings) +
                                            " with the response");
    }
    slot = std::max(slot, std::min(length + sampling.max_new_tokens, config.max_position_embeddings));
  }
  return slot;
}

std::int64_t place_bytes(const DecoderWeights& weights) {
  const ModelConfig& config = weights.config;
  return 2 * config.layers * config.kv_heads * config.head_dim * (weights.dtype == at::kFloat ? 4 : 2);
}

// Sequences that fit into the arena together beside their common prefix, at most as many as are wanted.
std::int64_t slots_of(const GeneratorOptions& options, const DecoderWeights& weights, std::int64_t slot_size,
                      std::int64_t prefix, std::size_t prompts) {
  const std::int64_t budget =
      options.arena_tokens > 0 ? options.arena_tokens : options.arena_bytes / place_bytes(weights);
  const std::int64_t wanted = std::min<std::int64_t>(options.max_batch, static_cast<std::int64_t>(prompts));
  return std::clamp<std::int64_t>((budget - prefix) / slot_size, 1, wanted);
}

// How many ids of a sequence need not run: the one scored before has left their keys and values in their places, and no
// score is asked of them.
std::int64_t run_before(std::span<const ScoreSequence> sequences, std::size_t index) {
  if (index == 0) return 0;
  const std::vector<std::int64_t>& ids = sequences[index].ids;
  const std::vector<std::int64_t>& before = sequences[index - 1].ids;
  // The last id of a sequence is never run.
  const std::int64_t same = std::mismatch(ids.begin(), ids.end(), before.begin(), before.end() - 1).first - ids.begin();
  return std::min(same, sequences[index].first - 1);
}

}  // namespace

const char* finish_reason_name(FinishReason reason) { return reason == FinishReason::kStop ? "stop" : "length"; }

Generator::Generator(const DecoderWeights& weights, const Tokenizer* tokenizer, const GeneratorOptions& options)
    : weights_(weights), tokenizer_(tokenizer), options_(options) {}

Generator::~Generator() = default;

Decoder& Generator::decoder_for(std::int64_t arena_tokens, std::int64_t positions) {
  if (decoder_ && decoder_->limits().arena_tokens >= arena_tokens && decoder_->limits().max_positions >= positions)
    return *decoder_;
  decoder_.reset();  // before the new one is made: both may not fit
  DecoderLimits limits;
  limits.arena_tokens = arena_tokens;
  limits.max_positions = positions;
  limits.max_rows = std::max(options_.prefill_rows, options_.max_batch);
  limits.threads = options_.threads;
  decoder_ = make_decoder(weights_, limits, options_.decoder);
  return *decoder_;
}

std::vector<Generation> Generator::generate(std::span<const GenerationPrompt> prompts, const SamplingConfig& sampling,
                                            std::stop_token stop, const OnProgress& on_progress,
                                            const OnToken& on_token) {
  if (tokenizer_ == nullptr && !sampling.stop.empty()) {
    throw Error(ErrorCode::kBadInput, "stop strings need a tokenizer, and the model folder has no tokenizer.json");
  }
  const std::int64_t slot_size = slot_size_of(prompts, weights_.config, sampling);
  if (prompts.empty()) return {};
  const std::int64_t prefix = common_prefix(prompts);
  const std::int64_t slots = slots_of(options_, weights_, slot_size, prefix, prompts.size());
  Decoder& decoder = decoder_for(slots * slot_size + prefix, slot_size);
  GenerationRun run(weights_.config, tokenizer_, decoder, prompts, sampling, {slots, slot_size, prefix});
  GenerationProgress progress;
  progress.total = static_cast<std::int64_t>(prompts.size());
  const auto start = SteadyClock::now();
  while (!run.finished()) {
    throw_if_stopped(stop, "generating");
    run.step(on_token);
    if (!on_progress) continue;
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    progress.finished = run.finished_prompts();
    progress.tokens = run.tokens();
    progress.tokens_per_second = seconds > 0 ? static_cast<double>(progress.tokens) / seconds : 0;
    on_progress(progress);
  }
  return run.take_answers();
}

std::vector<Score> Generator::score(std::span<const ScoreSequence> sequences, std::stop_token stop,
                                    const OnProgress& on_progress) {
  const ModelConfig& config = weights_.config;
  std::int64_t longest = 1;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    check_ids(sequences[i].ids, config.vocab_size, i);
    if (sequences[i].first < 1)
      throw Error(ErrorCode::kBadInput, "prompt " + std::to_string(i + 1) + ": the first scored place is at least 1");
    longest = std::max(longest, static_cast<std::int64_t>(sequences[i].ids.size()));
  }
  if (longest > config.max_position_embeddings) {
    throw Error(ErrorCode::kBadInput, "a sequence has " + std::to_string(longest) + " ids, the model takes " +
                                          std::to_string(config.max_position_embeddings));
  }
  std::vector<Score> scores(sequences.size());
  if (sequences.empty()) return scores;
  Decoder& decoder = decoder_for(longest, longest);
  GenerationProgress progress;
  progress.total = static_cast<std::int64_t>(sequences.size());
  const auto start = SteadyClock::now();
  std::vector<DecoderRow> rows;
  std::vector<HeadQuery> queries;
  std::vector<HeadResult> results;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::vector<std::int64_t>& ids = sequences[i].ids;
    const auto length = static_cast<std::int64_t>(ids.size());
    for (std::int64_t begin = run_before(sequences, i); begin + 1 < length; begin += decoder.limits().max_rows) {
      throw_if_stopped(stop, "generating");
      rows.clear();
      queries.clear();
      const std::int64_t end = std::min(begin + decoder.limits().max_rows, length - 1);  // the last id predicts nothing
      for (std::int64_t t = begin; t < end; ++t) {
        if (t + 1 >= sequences[i].first)
          queries.push_back({static_cast<std::int64_t>(rows.size()), ids[static_cast<std::size_t>(t) + 1], nullptr});
        rows.push_back({ids[static_cast<std::size_t>(t)], 0, t});
      }
      results.assign(queries.size(), {});
      decoder.run(rows, queries, results);
      for (const HeadResult& result : results) {
        scores[i].logprobs.push_back(result.logprob(result.target_logit));
        scores[i].top.push_back(result.best);
      }
      progress.tokens += end - begin;
    }
    ++progress.finished;
    if (on_progress) {
      const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
      progress.tokens_per_second = seconds > 0 ? static_cast<double>(progress.tokens) / seconds : 0;
      on_progress(progress);
    }
  }
  return scores;
}

}  // namespace cutd
