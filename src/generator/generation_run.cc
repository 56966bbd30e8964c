#include "generator/generation_run.h"

#include <algorithm>

#include "generator/sampler.h"

namespace cutd {

std::int64_t common_prefix(std::span<const GenerationPrompt> prompts) {
  if (prompts.size() < 2) return 0;
  const std::vector<std::int64_t>& first = prompts.front().ids;
  auto end = first.end() - 1;
  for (const GenerationPrompt& prompt : prompts.subspan(1)) {
    end = std::mismatch(first.begin(), end, prompt.ids.begin(), prompt.ids.end() - 1).first;
  }
  return end - first.begin();
}

GenerationRun::GenerationRun(const ModelConfig& config, const Tokenizer* tokenizer, Decoder& decoder,
                             std::span<const GenerationPrompt> prompts, const SamplingConfig& sampling,
                             const ArenaSlots& slots)
    : config_(config),
      tokenizer_(tokenizer),
      decoder_(decoder),
      prompts_(prompts),
      sampling_(sampling),
      needs_logits_(sampling.temperature > 0 || sampling.repetition_penalty != 1),
      logits_(needs_logits_ ? static_cast<std::size_t>(slots.count * config.vocab_size) : 0),
      prefix_(slots.prefix),
      prefix_start_(slots.count * slots.size),
      answers_(prompts.size()) {
  for (std::int64_t i = slots.count - 1; i >= 0; --i) free_slots_.push_back(i * slots.size);
}

void GenerationRun::step(const Generator::OnToken& on_token) {
  if (run_prefix()) return;
  admit();
  collect_rows();
  results_.assign(queries_.size(), {});
  decoder_.run(rows_, queries_, results_);
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    Sequence& sequence = *asked_[i];
    const Choice choice = choose(sequence, i);
    const bool ended = take_token(sequence, choice);
    ++tokens_;
    if (ended && sequence.text) {
      sequence.scanner->push(sequence.text->finish());
      sequence.answer.text = sequence.scanner->text();
    }
    if (on_token) on_token(sequence.index, choice.id, certain_text(sequence, ended));
    if (ended) end(sequence);
  }
  std::erase_if(active_, [](const Sequence& sequence) { return sequence.prompt == nullptr; });
}

// True when the step went to the common prefix.
bool GenerationRun::run_prefix() {
  if (prefix_run_ == prefix_) return false;
  const std::int64_t count = std::min(prefix_ - prefix_run_, decoder_.limits().max_rows);
  rows_.clear();
  for (std::int64_t i = 0; i < count; ++i, ++prefix_run_) {
    rows_.push_back({prompts_.front().ids[static_cast<std::size_t>(prefix_run_)], prefix_start_, prefix_run_});
  }
  decoder_.run(rows_, {}, {});
  return true;
}

void GenerationRun::admit() {
  for (; next_ < prompts_.size() && !free_slots_.empty(); ++next_) {
    Sequence& sequence = active_.emplace_back();
    sequence.index = next_;
    sequence.prompt = &prompts_[next_];
    sequence.slot_start = free_slots_.back();
    free_slots_.pop_back();
    if (prefix_ > 0) decoder_.copy(prefix_start_, sequence.slot_start, prefix_);
    sequence.run = prefix_;
    sequence.seen = prompts_[next_].ids;
    sequence.most_new = std::min(sampling_.max_new_tokens,
                                 config_.max_position_embeddings - static_cast<std::int64_t>(sequence.seen.size()));
    if (tokenizer_ == nullptr) continue;
    sequence.text.emplace(*tokenizer_);
    sequence.scanner.emplace(sampling_.stop);
  }
}

void GenerationRun::collect_rows() {
  rows_.clear();
  queries_.clear();
  asked_.clear();
  const std::int64_t decoding =
      std::count_if(active_.begin(), active_.end(), [](const Sequence& s) { return !s.prefilling(); });
  std::int64_t room = decoder_.limits().max_rows - decoding;  // every decoding sequence gets its row
  for (Sequence& sequence : active_) {
    std::int64_t count = 1;
    if (sequence.prefilling()) {
      count = std::min(static_cast<std::int64_t>(sequence.seen.size()) - sequence.run, room);
      room -= count;
    }
    collect_rows_of(sequence, count);
  }
}

void GenerationRun::collect_rows_of(Sequence& sequence, std::int64_t count) {
  if (count == 0) return;
  for (std::int64_t i = 0; i < count; ++i, ++sequence.run) {
    rows_.push_back({sequence.seen[static_cast<std::size_t>(sequence.run)], sequence.slot_start, sequence.run});
  }
  if (sequence.run < static_cast<std::int64_t>(sequence.seen.size())) return;  // the prompt goes on in the next step
  float* place =
      needs_logits_ ? logits_.data() + static_cast<std::ptrdiff_t>(asked_.size()) * config_.vocab_size : nullptr;
  queries_.push_back({static_cast<std::int64_t>(rows_.size()) - 1, -1, place});
  asked_.push_back(&sequence);
}

GenerationRun::Choice GenerationRun::choose(const Sequence& sequence, std::size_t query) {
  const HeadResult& result = results_[query];
  if (!needs_logits_) return {result.best, result.logprob(result.max_logit)};
  const std::span<float> row(queries_[query].logits, static_cast<std::size_t>(config_.vocab_size));
  const std::vector<float> unmodified(row.begin(), row.end());
  const std::int64_t id = choose_token(row, sequence.seen, sampling_, static_cast<std::uint64_t>(sequence.prompt->seed),
                                       sequence.answer.ids.size());
  return {id, result.logprob(unmodified[static_cast<std::size_t>(id)])};
}

// True when the sequence ends with this token.
bool GenerationRun::take_token(Sequence& sequence, const Choice& choice) const {
  sequence.answer.ids.push_back(choice.id);
  sequence.answer.logprobs.push_back(choice.logprob);
  sequence.seen.push_back(choice.id);
  const bool eos =
      std::find(config_.eos_token_ids.begin(), config_.eos_token_ids.end(), choice.id) != config_.eos_token_ids.end();
  bool stopped = eos && !sampling_.ignore_eos;
  if (sequence.text && !stopped) stopped = sequence.scanner->push(sequence.text->push(choice.id));
  if (stopped) sequence.answer.finish_reason = FinishReason::kStop;
  return stopped || static_cast<std::int64_t>(sequence.answer.ids.size()) >= sequence.most_new;
}

// Text that no later token can turn into a stop string, beyond what was shown before.
std::string GenerationRun::certain_text(Sequence& sequence, bool ended) {
  if (!sequence.scanner) return "";
  const std::string& text = sequence.scanner->text();
  const std::size_t certain = ended ? text.size() : text.size() - sequence.scanner->held_back();
  if (certain <= sequence.shown) return "";
  const std::string piece = text.substr(sequence.shown, certain - sequence.shown);
  sequence.shown = certain;
  return piece;
}

void GenerationRun::end(Sequence& sequence) {
  answers_[sequence.index] = std::move(sequence.answer);
  free_slots_.push_back(sequence.slot_start);
  sequence.prompt = nullptr;
  ++finished_prompts_;
}

}  // namespace cutd
