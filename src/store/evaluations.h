// Evaluations: of a model, on a held-out set, by an annotator, with a decoding; made once, then reused.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

// The evaluation of that key, made open when it is new. `split` is gate or report and must be the one it
// was made with (Error(kConflict)). Its units are planned with plan_units().
EvaluationId ensure_evaluation(Writer& writer, const EvaluationKey& key, Split split);

// open -> done with its items and summary, in one transaction. Error(kConflict) when it is done already
// (equal work by someone else: use that), a unit is still open, or an item is not a validated judgment, by its
// annotator and with that label, of one of its responses.
void finish_evaluation(Writer& writer, EvaluationId evaluation, std::span<const EvaluationItem> items,
                       const Json& summary);

std::optional<Evaluation> find_evaluation(Reader& reader, EvaluationId id);
std::optional<Evaluation> find_evaluation(Reader& reader, const EvaluationKey& key);
std::vector<Evaluation> list_evaluations(Reader& reader);                                    // by id
std::vector<EvaluationItem> list_evaluation_items(Reader& reader, EvaluationId evaluation);  // by response

}  // namespace cutd
