// One call of Generator::generate at work: continuous batching over the slots of an arena. The ids with which all
// prompts begin are run once; a prompt's slot gets a copy of their keys and values. A step admits prompts into free
// slots, runs one row for every decoding sequence and prompt rows in what room is left, takes the tokens that came out,
// and frees the slots of sequences that ended.
#pragma once

#include <deque>

#include "generator/generator.h"
#include "generator/stop_scanner.h"
#include "text/incremental_decoder.h"

namespace cutd {

struct ArenaSlots {
  std::int64_t count = 1;
  std::int64_t size = 1;    // places of each: the longest prompt with its response
  std::int64_t prefix = 0;  // places behind the slots, for the ids with which every prompt begins
};

// How many ids all prompts begin with: a template's opening, a judge's instructions. Fewer than the shortest prompt
// has, since each needs a row of its own to be answered; 0 for one prompt alone.
std::int64_t common_prefix(std::span<const GenerationPrompt> prompts);

// Everything given must outlive it. One thread.
class GenerationRun {
 public:
  GenerationRun(const ModelConfig& config, const Tokenizer* tokenizer, Decoder& decoder,
                std::span<const GenerationPrompt> prompts, const SamplingConfig& sampling, const ArenaSlots& slots);

  bool finished() const { return next_ == prompts_.size() && active_.empty(); }
  void step(const Generator::OnToken& on_token);

  std::int64_t finished_prompts() const { return finished_prompts_; }
  std::int64_t tokens() const { return tokens_; }
  std::vector<Generation> take_answers() { return std::move(answers_); }  // once finished

 private:
  // One admitted prompt: its slot and how far it is.
  struct Sequence {
    std::size_t index = 0;
    const GenerationPrompt* prompt = nullptr;  // null: ended
    std::int64_t slot_start = 0;
    std::int64_t most_new = 0;
    std::int64_t run = 0;            // tokens whose keys are in the arena
    std::vector<std::int64_t> seen;  // prompt and generated ids
    Generation answer;
    std::optional<IncrementalDecoder> text;
    std::optional<StopScanner> scanner;
    std::size_t shown = 0;  // bytes of the text already given to on_token

    bool prefilling() const { return run < static_cast<std::int64_t>(prompt->ids.size()); }
  };
  struct Choice {
    std::int64_t id = 0;
    double logprob = 0;  // of the unmodified model
  };

  bool run_prefix();
  void admit();
  void collect_rows();
  void collect_rows_of(Sequence& sequence, std::int64_t count);
  Choice choose(const Sequence& sequence, std::size_t query);
  bool take_token(Sequence& sequence, const Choice& choice) const;
  static std::string certain_text(Sequence& sequence, bool ended);
  void end(Sequence& sequence);

  const ModelConfig& config_;
  const Tokenizer* tokenizer_;
  Decoder& decoder_;
  const std::span<const GenerationPrompt> prompts_;
  const SamplingConfig& sampling_;
  const bool needs_logits_;

  std::vector<float> logits_;             // [slots, vocabulary] when needed
  const std::int64_t prefix_;             // ids of the common prefix
  const std::int64_t prefix_start_;       // its first place
  std::int64_t prefix_run_ = 0;           // how many of them have their keys there
  std::vector<std::int64_t> free_slots_;  // their first places
  std::deque<Sequence> active_;           // in order of admission
  std::size_t next_ = 0;                  // first prompt not admitted yet
  std::vector<Generation> answers_;
  std::int64_t finished_prompts_ = 0;
  std::int64_t tokens_ = 0;

  // Of the present step.
  std::vector<DecoderRow> rows_;
  std::vector<HeadQuery> queries_;
  std::vector<HeadResult> results_;
  std::vector<Sequence*> asked_;  // by query
};

}  // namespace cutd
