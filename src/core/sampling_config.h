// How tokens are chosen. Order of the filters and their defaults are Hugging Face's (libtorch.md
// section 8): repetition penalty, then, only when sampling, temperature, top_k, top_p, min_p.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace cutd {

struct SamplingConfig {
  std::int64_t max_new_tokens = 256;
  double temperature = 0;         // 0: greedy
  std::int64_t top_k = 0;         // 0: off
  double top_p = 1;               // 1: off
  double min_p = 0;               // 0: off
  double repetition_penalty = 1;  // 1: off
  std::vector<std::string> stop;  // strings that end a response and are cut from its text
  bool ignore_eos = false;
  std::int64_t seed = 1234;
};

// Declares every key under `section` ("generation").
void declare_sampling_options(OptionTable& table, SamplingConfig& config, const std::string& section);

}  // namespace cutd
