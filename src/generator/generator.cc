#include "generator/generator.h"

#include <algorithm>
#include <chrono>
#include <deque>

#include "core/error.h"
#include "generator/sampler.h"
#include "generator/stop_scanner.h"
#include "text/incremental_decoder.h"

namespace cutd {
namespace {

using SteadyClock = std::chrono::steady_clock;

void check_ids(std::span<const std::int64_t> ids, std::int64_t vocabulary, std::size_t index) {
  const std::string name = "prompt " + std::to_string(index + 1);
  if (ids.empty()) throw Error(ErrorCode::kBadInput, name + " has no ids");
  for (const std::int64_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      throw Error(ErrorCode::kBadInput, name + ": id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(vocabulary));
    }
  }
}

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped while generating");
}

std::int64_t place_bytes(const DecoderWeights& weights) {
  const ModelConfig& config = weights.config;
  return 2 * config.layers * config.kv_heads * config.head_dim * (weights.dtype == at::kFloat ? 4 : 2);
}

// One admitted prompt: its place in the arena and how far it is.
struct Sequence {
  std::size_t index = 0;
  const GenerationPrompt* prompt = nullptr;
  std::int64_t slot_start = 0;
  std::int64_t most_new = 0;
  std::int64_t run = 0;               // tokens whose keys are in the arena
  std::vector<std::int64_t> seen;     // prompt and generated ids
  Generation answer;
  std::optional<IncrementalDecoder> text;
  std::optional<StopScanner> scanner;
  std::size_t shown = 0;              // bytes of the text already given to on_token

  bool prefilling() const { return run < static_cast<std::int64_t>(prompt->ids.size()); }
};

// Appends `id`; true when the sequence ends with it.
bool take_token(Sequence& sequence, std::int64_t id, double logprob, const ModelConfig& config, const SamplingConfig& sampling) {
  sequence.answer.ids.push_back(id);
  sequence.answer.logprobs.push_back(logprob);
  sequence.seen.push_back(id);
  const bool eos = std::find(config.eos_token_ids.begin(), config.eos_token_ids.end(), id) != config.eos_token_ids.end();
  bool stopped = eos && !sampling.ignore_eos;
  if (sequence.text && !stopped) stopped = sequence.scanner->push(sequence.text->push(id));
  if (stopped) sequence.answer.finish_reason = FinishReason::kStop;
  return stopped || static_cast<std::int64_t>(sequence.answer.ids.size()) >= sequence.most_new;
}

void finish_text(Sequence& sequence) {
  if (!sequence.text) return;
  sequence.scanner->push(sequence.text->finish());
  sequence.answer.text = sequence.scanner->text();
}

}  // namespace

const char* finish_reason_name(FinishReason reason) { return reason == FinishReason::kStop ? "stop" : "length"; }

Generator::Generator(const DecoderWeights& weights, const Tokenizer* tokenizer, const GeneratorOptions& options)
    : weights_(weights), tokenizer_(tokenizer), options_(options) {}

Generator::~Generator() = default;

Decoder& Generator::decoder_for(std::int64_t arena_tokens, std::int64_t positions) {
  if (decoder_ && decoder_->limits().arena_tokens >= arena_tokens && decoder_->limits().max_positions >= positions) return *decoder_;
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
                                            std::stop_token stop, const OnProgress& on_progress, const OnToken& on_token) {
  const ModelConfig& config = weights_.config;
  if (tokenizer_ == nullptr && !sampling.stop.empty()) {
    throw Error(ErrorCode::kBadInput, "stop strings need a tokenizer, and the model folder has no tokenizer.json");
  }
  std::int64_t slot = 1;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    check_ids(prompts[i].ids, config.vocab_size, i);
    const auto length = static_cast<std::int64_t>(prompts[i].ids.size());
    if (length >= config.max_position_embeddings) {
      throw Error(ErrorCode::kBadInput, "prompt " + std::to_string(i + 1) + " has " + std::to_string(length) + " ids, the model takes " +
                                            std::to_string(config.max_position_embeddings) + " with the response");
    }
    slot = std::max(slot, std::min(length + sampling.max_new_tokens, config.max_position_embeddings));
  }
  std::vector<Generation> answers(prompts.size());
  if (prompts.empty()) return answers;
  const std::int64_t budget = options_.arena_tokens > 0 ? options_.arena_tokens : options_.arena_bytes / place_bytes(weights_);
  const std::int64_t slots = std::clamp<std::int64_t>(budget / slot, 1, std::min<std::int64_t>(options_.max_batch, static_cast<std::int64_t>(prompts.size())));
  Decoder& decoder = decoder_for(slots * slot, slot);

  const bool needs_logits = sampling.temperature > 0 || sampling.repetition_penalty != 1;
  std::vector<float> logits(needs_logits ? static_cast<std::size_t>(slots * config.vocab_size) : 0);
  std::vector<std::int64_t> free_slots;
  for (std::int64_t i = slots - 1; i >= 0; --i) free_slots.push_back(i * slot);
  std::deque<Sequence> active;  // in order of admission
  std::size_t next = 0;
  GenerationProgress progress;
  progress.total = static_cast<std::int64_t>(prompts.size());
  const auto start = SteadyClock::now();
  std::vector<DecoderRow> rows;
  std::vector<HeadQuery> queries;
  std::vector<HeadResult> results;
  std::vector<Sequence*> asked;

  while (next < prompts.size() || !active.empty()) {
    check_stop(stop);
    for (; next < prompts.size() && !free_slots.empty(); ++next) {
      Sequence& sequence = active.emplace_back();
      sequence.index = next;
      sequence.prompt = &prompts[next];
      sequence.slot_start = free_slots.back();
      free_slots.pop_back();
      sequence.seen = prompts[next].ids;
      sequence.most_new = std::min(sampling.max_new_tokens, config.max_position_embeddings - static_cast<std::int64_t>(prompts[next].ids.size()));
      if (tokenizer_ != nullptr) {
        sequence.text.emplace(*tokenizer_);
        sequence.scanner.emplace(sampling.stop);
      }
    }
    rows.clear();
    queries.clear();
    asked.clear();
    std::int64_t decoding = std::count_if(active.begin(), active.end(), [](const Sequence& s) { return !s.prefilling(); });
    std::int64_t room = decoder.limits().max_rows - decoding;  // every decoding sequence gets its row
    for (Sequence& sequence : active) {
      const std::int64_t left = static_cast<std::int64_t>(sequence.seen.size()) - sequence.run;
      const std::int64_t count = sequence.prefilling() ? std::min(left, room) : 1;
      if (sequence.prefilling()) room -= count;
      for (std::int64_t i = 0; i < count; ++i, ++sequence.run) {
        rows.push_back({sequence.seen[static_cast<std::size_t>(sequence.run)], sequence.slot_start, sequence.run});
      }
      if (count > 0 && sequence.run == static_cast<std::int64_t>(sequence.seen.size())) {
        float* place = needs_logits ? logits.data() + static_cast<std::ptrdiff_t>(asked.size()) * config.vocab_size : nullptr;
        queries.push_back({static_cast<std::int64_t>(rows.size()) - 1, -1, place});
        asked.push_back(&sequence);
      }
    }
    results.assign(queries.size(), {});
    decoder.run(rows, queries, results);

    for (std::size_t i = 0; i < asked.size(); ++i) {
      Sequence& sequence = *asked[i];
      std::int64_t id = results[i].best;
      double logprob = results[i].logprob(results[i].max_logit);
      if (needs_logits) {
        const std::span<float> row(queries[i].logits, static_cast<std::size_t>(config.vocab_size));
        const std::vector<float> unmodified(row.begin(), row.end());
        id = choose_token(row, sequence.seen, sampling, static_cast<std::uint64_t>(sequence.prompt->seed), sequence.answer.ids.size());
        logprob = results[i].logprob(unmodified[static_cast<std::size_t>(id)]);
      }
      const bool ended = take_token(sequence, id, logprob, config, sampling);
      ++progress.tokens;
      if (ended) finish_text(sequence);
      if (on_token) {
        std::string piece;
        if (sequence.scanner) {
          const std::string& text = sequence.scanner->text();
          const std::size_t certain = ended ? text.size() : text.size() - sequence.scanner->held_back();
          if (certain > sequence.shown) piece = text.substr(sequence.shown, certain - sequence.shown);
          sequence.shown = std::max(sequence.shown, certain);
        }
        on_token(sequence.index, id, piece);
      }
      if (ended) {
        answers[sequence.index] = std::move(sequence.answer);
        free_slots.push_back(sequence.slot_start);
        sequence.prompt = nullptr;
        ++progress.finished;
      }
    }
    std::erase_if(active, [](const Sequence& sequence) { return sequence.prompt == nullptr; });
    if (on_progress) {
      const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
      progress.tokens_per_second = seconds > 0 ? static_cast<double>(progress.tokens) / seconds : 0;
      on_progress(progress);
    }
  }
  return answers;
}

std::vector<Score> Generator::score(std::span<const ScoreSequence> sequences, std::stop_token stop, const OnProgress& on_progress) {
  const ModelConfig& config = weights_.config;
  std::int64_t longest = 1;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    check_ids(sequences[i].ids, config.vocab_size, i);
    if (sequences[i].first < 1) throw Error(ErrorCode::kBadInput, "prompt " + std::to_string(i + 1) + ": the first scored place is at least 1");
    longest = std::max(longest, static_cast<std::int64_t>(sequences[i].ids.size()));
  }
  if (longest > config.max_position_embeddings) {
    throw Error(ErrorCode::kBadInput, "a sequence has " + std::to_string(longest) + " ids, the model takes " + std::to_string(config.max_position_embeddings));
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
    for (std::int64_t begin = 0; begin + 1 < length; begin += decoder.limits().max_rows) {
      check_stop(stop);
      rows.clear();
      queries.clear();
      const std::int64_t end = std::min(begin + decoder.limits().max_rows, length - 1);  // the last id predicts nothing
      for (std::int64_t t = begin; t < end; ++t) {
        if (t + 1 >= sequences[i].first) queries.push_back({static_cast<std::int64_t>(rows.size()), ids[static_cast<std::size_t>(t) + 1], nullptr});
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
