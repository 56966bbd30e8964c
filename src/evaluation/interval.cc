#include "evaluation/interval.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace cutd {
namespace {

// Index in [0, count) from 32 random bits (Lemire's multiply-shift; the bias is below count / 2^32).
std::size_t index_below(std::uint32_t bits, std::size_t count) {
  return static_cast<std::size_t>((static_cast<std::uint64_t>(bits) * count) >> 32);
}

}  // namespace

Share wilson_share(std::int64_t successes, std::int64_t count) {
  if (count <= 0) return {0, 0, 0, {0, 1}};
  const double n = static_cast<double>(count);
  const double share = static_cast<double>(successes) / n;
  const double z2 = kNormalQuantile * kNormalQuantile;
  const double center = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kNormalQuantile / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {successes, count, share, {std::max(0.0, center - half), std::min(1.0, center + half)}};
}

ShareDifference share_difference(const Share& earlier, const Share& later) {
  if (earlier.count <= 0 || later.count <= 0) return {0, {-1, 1}};
  const double value = later.value - earlier.value;
  const double below = std::hypot(later.value - later.interval.low, earlier.interval.high - earlier.value);
  const double above = std::hypot(later.interval.high - later.value, earlier.value - earlier.interval.low);
  return {value, {value - below, value + above}};
}

PairedDifference paired_bootstrap(const std::vector<double>& parent, const std::vector<double>& candidate,
                                  std::int64_t resamples, std::int64_t seed) {
  if (parent.size() != candidate.size() || parent.empty()) {
    throw Error(ErrorCode::kInternal, "a paired comparison needs the same held-out instructions on both sides");
  }
  const std::size_t count = parent.size();
  std::vector<double> difference(count);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += difference[i] = candidate[i] - parent[i];

  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  std::vector<double> means(static_cast<std::size_t>(resamples));
  for (std::size_t resample = 0; resample < means.size(); ++resample) {
    double total = 0;
    for (std::size_t drawn = 0; drawn < count; drawn += 4) {
      const auto bits =
          philox({static_cast<std::uint32_t>(drawn / 4), static_cast<std::uint32_t>(resample), 0, 0}, key);
      for (std::size_t lane = 0; lane < 4 && drawn + lane < count; ++lane)
        total += difference[index_below(bits[lane], count)];
    }
    means[resample] = total / static_cast<double>(count);
  }
  std::sort(means.begin(), means.end());
  return {sum / static_cast<double>(count), {sorted_quantile(means, 0.025), sorted_quantile(means, 0.975)}};
}

double sorted_quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const double position = q * static_cast<double>(sorted.size() - 1);
  const std::size_t below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double part = position - static_cast<double>(below);
  return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

}  // namespace cutd
