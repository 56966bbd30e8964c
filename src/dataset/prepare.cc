#include "dataset/prepare.h"

#include <algorithm>

#include "dataset/label_rule.h"

namespace cutd {
namespace {

std::string too_long(const Triplet& triplet, std::int64_t cutoff_len) {
  return "the response (" + std::to_string(triplet.output.size()) +
         " bytes) leaves no room for a prompt within cutoff_len " + std::to_string(cutoff_len);
}

// The released code asserts this; a tokenizer that merges across the border could break it.
bool same_response(const PreparedSequence& a, const PreparedSequence& b) {
  return std::equal(a.ids.begin() + static_cast<std::ptrdiff_t>(a.prompt_length), a.ids.end(),
                    b.ids.begin() + static_cast<std::ptrdiff_t>(b.prompt_length), b.ids.end());
}

// The last ids of the encoded prompt that fit beside the response.
std::optional<std::vector<std::int64_t>> fit_prompt(const std::string& prompt, std::size_t response_length,
                                                    const TextEncoder& encode, bool add_special_tokens,
                                                    std::int64_t cutoff_len) {
  if (static_cast<std::int64_t>(response_length) >= cutoff_len) return std::nullopt;
  std::vector<std::int64_t> ids = encode(prompt, add_special_tokens);
  const std::size_t room = static_cast<std::size_t>(cutoff_len) - response_length;
  if (ids.size() > room) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(room));
  if (ids.empty()) return std::nullopt;
  return ids;
}

}  // namespace

std::optional<PreparedSequence> prepare_sequence(const std::string& prompt, const std::string& response,
                                                 const TextEncoder& encode, bool add_special_tokens,
                                                 std::int64_t cutoff_len, std::int64_t eos_id) {
  PreparedSequence sequence;
  sequence.ids = encode(prompt + response, add_special_tokens);
  const std::size_t prompt_length = encode(prompt, add_special_tokens).size();
  const std::size_t cutoff = static_cast<std::size_t>(cutoff_len);
  if (sequence.ids.size() > cutoff) {
    sequence.overflow = sequence.ids.size() - cutoff;
    sequence.ids.erase(sequence.ids.begin(), sequence.ids.begin() + static_cast<std::ptrdiff_t>(sequence.overflow));
  }
  if (sequence.ids.empty() || sequence.ids.back() != eos_id) sequence.ids.push_back(eos_id);
  if (prompt_length <= sequence.overflow) return std::nullopt;
  sequence.prompt_length = prompt_length - sequence.overflow;
  // An empty response still trains its EOS; a tokenizer that merged it into the prompt would leave none.
  if (sequence.prompt_length >= sequence.ids.size()) return std::nullopt;
  return sequence;
}

TrainingExample PreparedTriplet::example() const {
  const auto border = [](const PreparedSequence& sequence) {
    return sequence.ids.begin() + static_cast<std::ptrdiff_t>(sequence.prompt_length);
  };
  TrainingExample result;
  result.kind = kind;
  result.prompt_ids.assign(plain.ids.begin(), border(plain));
  result.response_ids.assign(border(plain), plain.ids.end());
  if (judged.has_value()) result.prompt_judge_ids.assign(judged->ids.begin(), border(*judged));
  return result;
}

PreparedTriplet prepare_triplet(const Triplet& triplet, const PromptTemplate& prompts, const TextEncoder& encode,
                                std::int64_t cutoff_len, std::int64_t eos_id) {
  PreparedTriplet prepared;
  const InstructionText instruction{triplet.instruction, triplet.input};
  const std::string response = prompts.render_response(triplet.output);
  const auto sequence_after = [&](const std::string& prompt) {
    return prepare_sequence(prompt, response, encode, prompts.adds_special_tokens(), cutoff_len, eos_id);
  };
  prepared.kind = triplet.positive() ? ExampleKind::kAlignP : ExampleKind::kAlignN;
  prepared.prompt_plain = prompts.render(instruction);
  std::optional<PreparedSequence> plain = sequence_after(prepared.prompt_plain);
  if (!plain.has_value()) {
    prepared.skipped = too_long(triplet, cutoff_len);
    return prepared;
  }
  prepared.plain = std::move(*plain);
  if (prepared.kind == ExampleKind::kAlignP) return prepared;
  prepared.prompt_judged = prompts.render(instruction, triplet.judgment);
  prepared.judged = sequence_after(prepared.prompt_judged);
  if (!prepared.judged.has_value()) {
    prepared.skipped = too_long(triplet, cutoff_len);
  } else if (!same_response(prepared.plain, *prepared.judged)) {
    prepared.skipped =
        "the response has other ids in its two contexts: this tokenizer merges across the end of the prompt";
  }
  return prepared;
}

std::optional<TrainingExample> prepare_stored(const StoredResponse& stored, const PromptTemplate& prompts,
                                              const TextEncoder& encode, std::int64_t cutoff_len, std::int64_t eos_id) {
  TrainingExample example;
  example.kind = is_positive(stored.judgment, stored.score) ? ExampleKind::kAlignP : ExampleKind::kAlignN;
  example.response_ids = stored.response_ids;
  const auto prompt_ids = [&](const std::string& prompt) {
    const std::vector<std::int64_t>& ids = stored.response_ids;
    const std::size_t text_ids = ids.size() - (!ids.empty() && ids.back() == eos_id ? 1 : 0);
    return fit_prompt(prompt, text_ids, encode, prompts.adds_special_tokens(), cutoff_len);
  };
  if (stored.finished && (example.response_ids.empty() || example.response_ids.back() != eos_id)) {
    example.response_ids.push_back(eos_id);
  }
  if (example.response_ids.empty()) return std::nullopt;
  std::optional<std::vector<std::int64_t>> plain = prompt_ids(prompts.render(stored.instruction));
  if (!plain.has_value()) return std::nullopt;
  example.prompt_ids = std::move(*plain);
  if (example.kind == ExampleKind::kAlignP) return example;
  std::optional<std::vector<std::int64_t>> judged = prompt_ids(prompts.render(stored.instruction, stored.judgment));
  if (!judged.has_value()) return std::nullopt;
  example.prompt_judge_ids = std::move(*judged);
  return example;
}

}  // namespace cutd
