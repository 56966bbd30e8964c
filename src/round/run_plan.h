// What a run will ask for before it is started: calls, money, memory and time. Counts are exact upper ends; money has
// an exact upper end and a likely value; memory is computed from shapes; time is a rough estimate from stated speeds.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"
#include "round/instruction_sets.h"
#include "round/run_config.h"
#include "weights/model_config.h"

namespace cutd {

// What nobody can know beforehand; shown with the plan.
struct PlanAssumptions {
  std::int64_t response_tokens = 256;       // of a typical response
  std::int64_t judgment_tokens = 64;        // of a typical judgment
  double judge_seconds = 5;                 // of one judge call
  double generation_tokens_per_second = 0;  // of all sequences together; 0: from the model's size, see run_plan.cc
  double training_tokens_per_second = 0;
  std::int64_t cores = 1;
  bool gpu = false;
};

// Of `cutd eval run --config`, on the kept model's answers to the report set.
struct PlannedPairs {
  std::string evaluator;
  std::int64_t calls = 0;
  double likely_usd = 0;
  double most_usd = 0;
  double cap_usd = 0;  // pairwise.max_usd
};

// What a plan counts beside the instructions' sets.
struct PlanExtras {
  std::int64_t canaries_of_round = 0;
  std::optional<PlannedPairs> pairs;  // none: the configuration has no section "pairwise"
};

// Of a response at its token limit; typically a token has four.
constexpr std::int64_t kMostBytesPerToken = 16;

struct RunPlan {
  std::int64_t rounds = 0;
  std::int64_t train_responses = 0;   // of all rounds
  std::int64_t gate_responses = 0;    // the untrained model and each candidate
  std::int64_t report_responses = 0;  // the untrained and the kept model
  std::int64_t responses = 0;         // each is judged once by each annotator that is asked
  std::int64_t canaries = 0;          // of all rounds, judged with them
  std::int64_t annotators = 1;
  std::int64_t judge_calls = 0;  // of all annotators
  bool fewer_calls = false;      // the quorum does not ask all of them about everything: calls and cost are upper ends
  bool paid = false;
  double likely_usd = 0;
  double most_usd = 0;                // every response and judgment as long as allowed; caps may stop it before
  double cap_usd = 0;                 // the paid annotators' total caps and the run's budget, the smaller one; 0: none
  std::optional<PlannedPairs> pairs;  // after the run, beside all of the above
  std::int64_t parameters = 0;
  std::int64_t weight_bytes = 0;    // in the generation's number type
  std::int64_t cache_bytes = 0;     // of max_batch sequences at full length
  std::int64_t training_bytes = 0;  // LoRA, its gradient and moments (fp32), activations of a pack
  double generation_seconds = 0;
  double judging_seconds = 0;  // at the annotators' limits, one after another; overlaps generation
  double training_seconds = 0;
  PlanAssumptions assumed;  // with the speeds that were used
};

// `sets`: the run's instructions, read and checked.
RunPlan plan_run(const RunConfig& config, const ModelConfig& model, const InstructionSets& sets,
                 const PlanAssumptions& assumed, const PlanExtras& extras = {});

Json run_plan_json(const RunPlan& plan);
std::string run_plan_text(const RunPlan& plan);

}  // namespace cutd
