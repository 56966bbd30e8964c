// A win rate with the judge's taste for length taken out. NOT AlpacaEval's "length_controlled_winrate": that one also
// needs instruction difficulties and gamed baselines that do not ship with it, and a cross-validated L1 penalty. Pure.
//
// The formula: over the valid comparisons, let x = tanh((length of output_1 - length of output_2) / s), where lengths
// are in Unicode code points and s is the sample deviation (n - 1) of their difference over all comparisons, and let
// y = preference - 1. Fit P(model wins) = sigmoid(a + b x) by maximum likelihood without a penalty. The figure is
// sigmoid(a): the win rate at equal length.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "evaluation/win_rate.h"

namespace cutd {

struct LengthPair {
  Preference preference;
  std::int64_t length_1 = 0;  // of the reference's output, in code points
  std::int64_t length_2 = 0;  // of the model's
};

struct LengthAdjustment {
  double win_rate = 0;       // percent
  double constant = 0;       // a
  double length_weight = 0;  // b: negative when longer outputs win
  double length_scale = 0;   // s
};

// nullopt where the fit has no finite answer: no or one-sided comparisons, or lengths that never differ otherwise.
std::optional<LengthAdjustment> adjust_for_length(const std::vector<LengthPair>& pairs);

// Code points of UTF-8 text, as Python's len() counts them.
std::int64_t code_points(std::string_view text);

}  // namespace cutd
