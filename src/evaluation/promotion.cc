#include "evaluation/promotion.h"

#include <fmt/format.h>

namespace cutd {

PromotionVerdict decide_promotion(const PairedDifference& difference, const std::vector<GuardResult>& guards,
                                  double margin) {
  const std::string numbers =
      fmt::format("difference to the parent {:+.1f} points (95 % interval {:+.1f} to {:+.1f}, margin {:.1f})",
                  100 * difference.value, 100 * difference.interval.low, 100 * difference.interval.high, 100 * margin);
  for (const GuardResult& guard : guards) {
    if (guard.within) continue;
    return {false, fmt::format("guard {} left its band: {:.3g}, allowed {:.3g} to {:.3g}; {}", guard.name, guard.value,
                               guard.allowed.low, guard.allowed.high, numbers)};
  }
  // Written so that a difference that is not a number rejects.
  if (difference.interval.low > -margin) return {true, numbers + ", guards within their bands"};
  return {false, "not shown to be better: " + numbers};
}

}  // namespace cutd
