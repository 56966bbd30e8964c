// Win rate and standard error of pairwise preferences, exactly as AlpacaEval 0.6.6 computes them
// (alpaca_eval/metrics: get_winrate, AbsoluteScoringRule, ZeroOneScoringRule). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cutd {

// One comparison: 1 the reference wins, 2 the model wins, between them a weight, 1.5 (or 0, the older way to write it)
// a draw; nullopt: no verdict could be read. Nothing else counts: what lies outside of [1, 2] is left out as well.
using Preference = std::optional<double>;

struct WinRate {
  double win_rate = 0;        // percent: mean of preference - 1; NaN without a valid one
  double standard_error = 0;  // percent: sample deviation (n - 1) over sqrt(n); NaN for fewer than two
  std::int64_t n_wins = 0;
  std::int64_t n_wins_base = 0;
  std::int64_t n_draws = 0;
  std::int64_t n_total = 0;  // the valid ones
  // Percent, after every preference but 1.5 was rounded half to even: wins and half the draws. As in AlpacaEval,
  // rounding comes before the check of the range.
  double discrete_win_rate = 0;
};

WinRate compute_win_rate(const std::vector<Preference>& preferences);

// preference - 1, a draw 0.5; nullopt for what does not count.
std::optional<double> preference_share(const Preference& preference);

}  // namespace cutd
