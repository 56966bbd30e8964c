// `cutd data prepare`: what the trainer would see of a triplet file.
#pragma once

#include <iosfwd>
#include <stop_token>

#include "dataset/prepare.h"

namespace cutd {

struct PrepareCommandOptions {
  std::string data;  // triplet file
  std::int64_t cutoff_len = 2048;
  std::int64_t eos_id = 2;
  double downsample = -1;  // Align-P kept per negative; -1: all
  std::int64_t seed = 42;  // of the down-sampling
  bool json = false;       // JSON Lines, one object per triplet; else a table of counts
  std::stop_token stop;    // Error(kCancelled) between two triplets; the rows before it are written
};

// Writes to `output`; JSON rows hold position, id, kind, has_input, kept, reason (null when kept), prompt_plain,
// prompt_judged (negatives), plain and judged {ids, labels, n_masked, n_overflow}, answer_tokens_with_eos.
// The judged context comes first in training, so it is the one the released code truncates first.
// Throws as read_triplets does.
void run_data_prepare(const PrepareCommandOptions& options, const PromptTemplate& prompts, const TextEncoder& encode,
                      std::ostream& output);

}  // namespace cutd
