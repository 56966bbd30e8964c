// From text and ids to training examples, as the authors' released code does it (method.md section 5).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataset/example.h"
#include "dataset/prompt_template.h"
#include "dataset/triplet.h"

namespace cutd {

// Token ids of `text`, with or without the tokenizer's own special tokens (BOS).
using TextEncoder = std::function<std::vector<std::int64_t>(const std::string& text, bool add_special_tokens)>;

// One context: ids = prompt ++ response, the first `prompt_length` of them masked.
struct PreparedSequence {
  std::vector<std::int64_t> ids;
  std::size_t prompt_length = 0;  // after truncation
  std::size_t overflow = 0;       // ids dropped on the left
};

// prompt + response is tokenised as one string; longer than `cutoff_len` it loses its left end; then
// `eos_id` is appended unless it is last already (so a sequence can have cutoff_len + 1 ids).
// nullopt when no response token or no prompt token would be left of the cut.
std::optional<PreparedSequence> prepare_sequence(const std::string& prompt, const std::string& response,
                                                 const TextEncoder& encode, bool add_special_tokens,
                                                 std::int64_t cutoff_len, std::int64_t eos_id);

// A triplet with both contexts. `skipped` says why there is no example; empty when there is one.
struct PreparedTriplet {
  ExampleKind kind = ExampleKind::kAlignP;
  std::string prompt_plain;   // rendered text
  std::string prompt_judged;  // empty for kAlignP
  PreparedSequence plain;
  std::optional<PreparedSequence> judged;  // kAlignN only
  std::string skipped;

  TrainingExample example() const;  // requires skipped.empty()
};

PreparedTriplet prepare_triplet(const Triplet& triplet, const PromptTemplate& prompts, const TextEncoder& encode,
                                std::int64_t cutoff_len, std::int64_t eos_id);

// For rounds: rendered prompts are encoded here, the response ids are the stored ones as generated.
// A response that did not finish by itself (`finished` false) gets no EOS; a finished one ends with
// `eos_id`, appended when it is missing. Prompts are cut on the left so that prompt + response without
// the EOS fits `cutoff_len`. nullopt when the response alone leaves no room for a prompt token.
struct StoredResponse {
  InstructionText instruction;
  std::vector<std::int64_t> response_ids;
  bool finished = false;
  std::optional<std::string> judgment;  // nullopt: satisfactory without words
  std::optional<double> score;
};
std::optional<TrainingExample> prepare_stored(const StoredResponse& stored, const PromptTemplate& prompts,
                                              const TextEncoder& encode, std::int64_t cutoff_len, std::int64_t eos_id);

}  // namespace cutd
