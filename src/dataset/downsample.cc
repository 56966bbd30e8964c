#include "dataset/downsample.h"

#include <algorithm>

#include "core/python_random.h"

namespace cutd {

std::vector<std::size_t> downsample_positives(const std::vector<ExampleKind>& kinds, double ratio, std::uint64_t seed) {
  std::vector<std::size_t> positives;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    (kinds[i] == ExampleKind::kAlignP ? positives : kept).push_back(i);
  }
  const double wanted = static_cast<double>(kept.size()) * ratio;
  if (ratio < 0 || wanted >= static_cast<double>(positives.size())) {
    kept.insert(kept.end(), positives.begin(), positives.end());
  } else {
    const std::vector<std::size_t> drawn = PythonRandom(seed).sample(positives, static_cast<std::size_t>(wanted));
    kept.insert(kept.end(), drawn.begin(), drawn.end());
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace cutd
