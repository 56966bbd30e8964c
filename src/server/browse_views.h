// What the browsing pages show, as JSON: schemas/openapi.yaml has the same shapes.
#pragma once

#include <vector>

#include "core/json.h"
#include "store/browse.h"
#include "store/round_figures.h"
#include "store/spend_figures.h"
#include "store/statistics.h"

namespace cutd {

Json instruction_view(const Instruction& instruction);
Json instruction_counts_view(Reader& reader);  // {"train", "gate", "report"}
Json response_view(const BrowsedResponse& response);
Json judgment_view(const BrowsedJudgmentRow& row);
Json judgment_details_view(const BrowsedJudgmentRow& row);  // with hash and raw reply
// `requests`: of an annotator that sends some.
Json annotator_view(const CountedAnnotator& row, const RequestFigures* requests);
Json evaluation_view(Reader& reader, const Evaluation& evaluation);
Json bins_view(const std::vector<WordBin>& bins);

}  // namespace cutd
