// What the trainer consumes: token ids of one response in its contexts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cutd {

enum class ExampleKind {
  kAlignP,  // satisfactory: likelihood in the plain context
  kAlignN,  // criticised: judged context (Align-N) and plain context (Misalign), same response ids
};

const char* example_kind_name(ExampleKind kind);              // "align_p", "align_n"
ExampleKind example_kind_from_name(const std::string& name);  // throws Error(kBadInput)

struct TrainingExample {
  ExampleKind kind = ExampleKind::kAlignP;
  std::vector<std::int64_t> prompt_ids;        // plain context
  std::vector<std::int64_t> prompt_judge_ids;  // context with the judgment; empty for kAlignP
  std::vector<std::int64_t> response_ids;      // every one is a label token; EOS included where it is trained
  double weight = 1;                           // multiplies the example's loss terms
};

// Label of a token that is not trained on, as Hugging Face has it.
constexpr std::int64_t kIgnoredLabel = -100;

// Labels of `ids`: kIgnoredLabel for the first `prompt_length`, then the ids themselves.
std::vector<std::int64_t> make_labels(const std::vector<std::int64_t>& ids, std::size_t prompt_length);

}  // namespace cutd
