// Shares and differences with their uncertainty. Pure functions, equal results on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace cutd {

constexpr double kNormalQuantile = 1.959963984540054;  // of 97.5 %

// 0 of nothing.
constexpr double share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

struct Interval {
  double low = 0;
  double high = 0;
};

// `successes` of `count` with the Wilson score interval (Wilson 1927, without continuity correction).
struct Share {
  std::int64_t successes = 0;
  std::int64_t count = 0;
  double value = 0;   // successes / count; 0 when count is 0
  Interval interval;  // 95 %; [0, 1] when count is 0
};
Share wilson_share(std::int64_t successes, std::int64_t count);

// `later` minus `earlier`, two shares of independent samples, with Newcombe's interval (1998, his method 10: from the
// two of Wilson's). [-1, 1] when either is of nothing.
struct ShareDifference {
  double value = 0;
  Interval interval;  // 95 %
};
ShareDifference share_difference(const Share& earlier, const Share& later);

// Mean of candidate[i] - parent[i] with the percentile interval of a paired bootstrap: `resamples` draws
// of whole pairs with replacement, from Philox keyed by `seed`.
struct PairedDifference {
  double value = 0;
  Interval interval;  // 95 %
};
// Both lists: one value per held-out instruction, same order. Throws Error(kInternal) when they differ
// in length or are empty.
PairedDifference paired_bootstrap(const std::vector<double>& parent, const std::vector<double>& candidate,
                                  std::int64_t resamples, std::int64_t seed);

// The q-quantile (0..1) of sorted values, linear between neighbours as numpy.percentile.
double sorted_quantile(const std::vector<double>& sorted, double q);

}  // namespace cutd
