// How far several people agree beyond chance: Krippendorff's alpha for nominal values.
//
// K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C, equation for nominal data:
//   alpha = 1 - (n - 1) * sum over c<k of o_ck / sum over c<k of n_c * n_k
// with the coincidences o_ck, each pair of values within a unit counted with weight 1 / (values of the unit - 1).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cutd {

// What all people said about one item; the order does not matter. Fewer than two values cannot agree with anything
// and are left out.
using AgreementUnit = std::vector<std::int64_t>;

// 1: perfect agreement, 0: what chance would give, below 0: systematic disagreement. Nothing when no item has two
// values, or when all values are the same one: then there is no variation that agreement could be measured against.
std::optional<double> krippendorff_alpha(const std::vector<AgreementUnit>& units);

}  // namespace cutd
