#include "core/sampling_config.h"

namespace cutd {

void declare_sampling_options(OptionTable& table, SamplingConfig& config, const std::string& section) {
  table.add(section + ".max_new_tokens", &config.max_new_tokens, "most tokens of a response", at_least(1));
  table.add(section + ".temperature", &config.temperature, "0: greedy; above: sampled", in_range(0, 100));
  table.add(section + ".top_k", &config.top_k, "keep the k likeliest tokens (0: all)", at_least(0));
  table.add(section + ".top_p", &config.top_p, "keep the smallest set of this mass (1: all)", in_range(0, 1));
  table.add(section + ".min_p", &config.min_p, "keep tokens of at least this share of the likeliest one's probability",
            in_range(0, 1));
  table.add(section + ".repetition_penalty", &config.repetition_penalty,
            "above 1: tokens seen before become less likely", in_range(0.01, 100));
  table.add(section + ".stop", &config.stop, "strings that end a response");
  table.add(section + ".ignore_eos", &config.ignore_eos, "go on after the end-of-sequence token");
  table.add(section + ".seed", &config.seed, "seed of the sampling", at_least(0));
}

}  // namespace cutd
