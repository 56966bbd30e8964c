// What judging will cost, before anything is asked: calls, tokens, dollars and time of one round and of a whole run.
// Pure; the numbers behind it come from the configuration, and from the ledger where the annotator has worked before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "round/run_config.h"
#include "store/attempts.h"

namespace cutd {

// What the configuration's files say.
struct InstructionFigures {
  std::int64_t gate_count = 0;    // of one evaluation
  std::int64_t report_count = 0;  // of the final report, once for each of two models
  std::int64_t mean_bytes = 0;    // of an instruction
  std::int64_t most_bytes = 0;
  std::int64_t mean_reference_bytes = 0;  // of its reference answer, shown where the prompt wants one
  std::int64_t most_reference_bytes = 0;
};
struct InstructionSets;
InstructionFigures instruction_figures(const InstructionSets& sets, const DataConfig& data);

// Money is micro-dollars.
struct JudgingCost {
  std::int64_t calls = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost = 0;
};

struct JudgeEstimate {
  std::string annotator;
  std::string model;                     // empty: it costs nothing and asks nobody
  std::optional<std::int64_t> measured;  // attempts that the averages were taken from; nullopt: assumed lengths
  JudgingCost call;                      // one, as it is expected
  std::int64_t most_per_call = 0;        // what is reserved for one
  JudgingCost round;                     // training responses and the candidate's evaluation
  JudgingCost run;                       // every round, the baseline, the final report
  double seconds_per_round = 0;          // at the configured limits; 0: a batch, within a day
  std::vector<std::string> warnings;     // which cap will stop it where
};

// Assumed where nothing is measured: four bytes a token, responses of the full generation.max_new_tokens, judgments of
// a quarter of the prompt's max_tokens. Errors as prompt_of().
JudgeEstimate estimate_judging(const RunConfig& config, const InstructionFigures& figures,
                               const std::optional<MeasuredUse>& measured);

Json judge_estimate_json(const JudgeEstimate& estimate);
// A few lines for people, the warnings at the end.
std::string judge_estimate_text(const JudgeEstimate& estimate);

// "$1.23", "$0.0042".
std::string dollars_text(std::int64_t micros);

}  // namespace cutd
