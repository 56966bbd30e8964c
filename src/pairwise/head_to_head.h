// Two models' outputs as pairs to be judged, as AlpacaEval's annotate_head2head joins them. Pure.
#pragma once

#include <vector>

#include "evaluation/alpaca_eval.h"

namespace cutd {

// Every reference output with every output of the same instruction, in the reference's order; equal pairs once. Columns
// that both files have and that agree everywhere are one ("dataset"), others get "_1" and "_2". `annotator` is set, the
// preference is not. Error(kBadInput) when no instruction is in both.
std::vector<PairAnnotation> join_outputs(const std::vector<ModelOutput>& reference,
                                         const std::vector<ModelOutput>& outputs, const std::string& annotator);

}  // namespace cutd
