// May a candidate take its parent's place? Architecture section 6: promote iff the lower end of the 95 %
// interval of the paired difference is above -margin and every guard is within its band. Pure.
#pragma once

#include <string>
#include <vector>

#include "evaluation/guards.h"
#include "evaluation/interval.h"

namespace cutd {

struct PromotionVerdict {
  bool promote = false;
  std::string reason;  // one sentence with the numbers, for events, tables and reports
};

// `difference`: candidate minus parent, on the gate set.
PromotionVerdict decide_promotion(const PairedDifference& difference, const std::vector<GuardResult>& guards,
                                  double margin);

}  // namespace cutd
