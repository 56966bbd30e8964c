// Anchors: responses of the parent to the gate set that the judge has judged and is asked about again before a
// candidate that rises by much may take the parent's place. A judge that was exchanged or became lenient meanwhile
// contradicts itself on them; a better model does not make it (reliability P36). They are kept as canaries are
// (canaries.h): an open evaluation of split gate that no key of a model has, so that they are judged, paid and counted
// like anything else and cannot train. Asking again is meant: it is new work, never a repetition of paid work by
// accident.
#pragma once

#include <vector>

#include "evaluation/judging_drift.h"
#include "round/evaluation_work.h"
#include "round/frozen_run.h"
#include "round/snapshot.h"
#include "round/work_context.h"
#include "store/store.h"

namespace cutd {

// Where they are kept.
EvaluationKey anchor_key(const FrozenRun& frozen, const Round& round);

// Wanted of a candidate that `comparison` would promote, whose difference to the parent is surely above
// `alarms.anchor_rise`, on at least `alarms.min_judgments` instructions. Not where people judge: they have gold items.
CanaryFacts read_anchor_facts(Reader& reader, const FrozenRun& frozen, const Round& round, const EvaluationKey& parent,
                              const Comparison& comparison);

// `perfect` is what the judge said of them in the parent's evaluation. Empty before they are planned.
std::vector<CanaryAnswer> read_anchor_answers(Reader& reader, const FrozenRun& frozen, const Round& round,
                                              const EvaluationKey& parent);

// Unit of work, in one transaction.
void plan_anchors(WorkContext& context, const Round& round, const EvaluationKey& parent);

}  // namespace cutd
