// What is measured beside the score and never trained on: when a judge is gamed, the score rises and one
// of these leaves its band (reliability P36). Bands are relative to the untrained model. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"

namespace cutd {

struct GuardValues {
  double mean_words = 0;  // per response
  double distinct_2 = 0;  // different word pairs over all word pairs, of all responses together
  double perplexity = 0;  // of the responses under the original model: exp(-mean log-probability per token)
};

// Lowest and highest allowed ratio to the untrained model's value.
struct GuardBand {
  double low = 0;
  double high = 0;
};
struct GuardBands {
  GuardBand mean_words{0.35, 1.5};
  GuardBand distinct_2{0.8, 1.5};
  GuardBand perplexity{0.3, 2.5};
};

// Declares `section`.mean_words_low, … for every guard.
void declare_guard_options(OptionTable& table, GuardBands& bands, const std::string& section);

struct GuardResult {
  std::string name;  // "mean_words"
  double value = 0;
  double baseline = 0;
  GuardBand allowed;    // as values, not ratios
  bool within = false;  // also false when the value is not finite
};

// One result per guard, always in the same order.
std::vector<GuardResult> check_guards(const GuardValues& baseline, const GuardValues& candidate,
                                      const GuardBands& bands);

double mean_words(const std::vector<std::string>& responses);
double distinct_2(const std::vector<std::string>& responses);  // 0 when no response has two words
// `logprobs`: one list per response. 0 when there is no token at all.
double perplexity(const std::vector<std::vector<double>>& logprobs);

}  // namespace cutd
