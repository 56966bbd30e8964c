#include "evaluation/agreement.h"

#include <map>

namespace cutd {

std::optional<double> krippendorff_alpha(const std::vector<AgreementUnit>& units) {
  std::map<std::int64_t, double> count_of_value;
  double disagreeing = 0;  // sum of o_ck over ordered pairs c != k
  double pairable = 0;     // n
  for (const AgreementUnit& unit : units) {
    if (unit.size() < 2) continue;
    std::map<std::int64_t, double> here;
    for (const std::int64_t value : unit) ++here[value];
    const double values = static_cast<double>(unit.size());
    for (const auto& [value, count] : here) {
      count_of_value[value] += count;
      disagreeing += count * (values - count) / (values - 1);
    }
    pairable += values;
  }
  double expected = 0;  // sum of n_c * n_k over ordered pairs c != k
  for (const auto& [value, count] : count_of_value) expected += count * (pairable - count);
  if (expected == 0) return std::nullopt;
  return 1 - (pairable - 1) * disagreeing / expected;
}

}  // namespace cutd
