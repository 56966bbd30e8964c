// Evaluations: a model answers a held-out set, the annotator judges every answer, the original model scores
// them for the guards. Keyed by model, set, annotator and decoding, and reused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluation/guards.h"
#include "evaluation/interval.h"
#include "evaluation/promotion.h"
#include "round/snapshot.h"
#include "round/work_context.h"
#include "store/evaluations.h"

namespace cutd {

struct EvaluationTarget {
  ModelReference model;
  Split split = Split::kGate;
  EvaluationKey key;
};
EvaluationTarget evaluation_target(const FrozenRun& frozen, const ModelReference& model, Split split);

// The summary column of a finished evaluation.
struct EvaluationSummary {
  Share share;  // of Perfect judgments
  GuardValues guards;
  double ended = 0;          // share of responses that the model ended by itself
  std::int64_t missing = 0;  // answers without a judgment: in neither number of the share
};
Json evaluation_summary_json(const EvaluationSummary& summary);
EvaluationSummary evaluation_summary_of(const Json& json);

EvaluationFacts read_evaluation_facts(Reader& reader, const EvaluationKey& key);

// The comparison by which decide() promotes; nothing before both and the untrained model's are done.
struct Comparison {
  PairedDifference difference;
  std::vector<GuardResult> guards;
  PromotionVerdict verdict;
};
std::optional<Comparison> compare_evaluations(Reader& reader, const FrozenRun& frozen, const EvaluationKey& untrained,
                                              const EvaluationKey& parent, const EvaluationKey& candidate);

// Units of work.
void plan_evaluation(WorkContext& context, const EvaluationTarget& target);
void score_evaluation(WorkContext& context, const EvaluationTarget& target, const std::string& activity);
void finish_evaluation(WorkContext& context, const EvaluationTarget& target);

}  // namespace cutd
