// Where the canaries of judging_health.h go.
#include <algorithm>
#include <numeric>

#include "core/random.h"
#include "evaluation/judging_health.h"

namespace cutd {
namespace {

// Uniform in 0..count-1.
std::size_t draw(std::int64_t seed, std::uint64_t step, std::uint64_t lane, std::size_t count) {
  const double u = static_cast<double>(philox_uniform(static_cast<std::uint64_t>(seed), step, lane));
  return std::min(static_cast<std::size_t>(u * static_cast<double>(count)), count - 1);
}

}  // namespace

std::vector<CanaryPlace> canary_places(std::size_t responses, std::size_t canaries, std::size_t count,
                                       std::int64_t seed) {
  std::vector<std::size_t> order(canaries);
  std::iota(order.begin(), order.end(), 0);
  std::vector<CanaryPlace> places;
  for (std::size_t i = 0; i < std::min(count, canaries); ++i) {
    std::swap(order[i], order[i + draw(seed, i, 0, canaries - i)]);  // Fisher and Yates, as far as it is needed
    places.push_back({order[i], draw(seed, i, 1, responses + 1)});
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const CanaryPlace& a, const CanaryPlace& b) { return a.after < b.after; });
  return places;
}

}  // namespace cutd
