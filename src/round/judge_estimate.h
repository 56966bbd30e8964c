// What judging will cost, before anything is asked: calls, tokens, dollars and time of one round and of a whole run.
// Pure; the numbers behind it come from the configuration, and from the ledger where the annotator has worked before.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "round/run_config.h"
#include "store/ledger.h"

namespace cutd {

// What the configuration's files say.
struct InstructionFigures {
  std::int64_t gate_count = 0;    // of one evaluation
  std::int64_t report_count = 0;  // of the final report, once for each of two models
  std::int64_t canary_count = 0;  // of one round
  std::int64_t mean_bytes = 0;    // of an instruction
  std::int64_t most_bytes = 0;
  std::int64_t mean_reference_bytes = 0;  // of its reference answer, shown where the prompt wants one
  std::int64_t most_reference_bytes = 0;
};
struct InstructionSets;
InstructionFigures instruction_figures(const InstructionSets& sets, const DataConfig& data);
// How many of `canaries` a round asks about.
std::int64_t canaries_of_round(std::size_t canaries, const AlarmConfig& alarms);

// Money is micro-dollars.
struct JudgingCost {
  std::int64_t calls = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost = 0;
};

// Of one annotator.
struct JudgeEstimate {
  std::string annotator;
  std::string model;                     // empty: it costs nothing and asks nobody
  std::optional<std::int64_t> measured;  // attempts that the averages were taken from; nullopt: assumed lengths
  JudgingCost call;                      // one, as it is expected
  std::int64_t most_per_call = 0;        // what is reserved for one
  JudgingCost round;                     // training responses, canaries and the candidate's evaluation
  JudgingCost run;                       // every round, the baseline, the final report
  JudgingCost anchors;                   // that a round may add whose score rises much (anchors.h); in no sum above
  double seconds_per_round = 0;          // at the configured limits; 0: a batch, within a day
  std::vector<std::string> warnings;     // which cap will stop it where
};

// Of all annotators of a run, each asked about every response: what a weighted quorum does, and the most that a
// fallback chain or a referee can come to.
struct RunEstimate {
  std::string judges;  // RunConfig::judges_name()
  std::vector<JudgeEstimate> annotators;
  bool upper_bound = false;  // not all of them are asked about every response
  JudgingCost round;         // sums
  JudgingCost run;
};

// Assumed where nothing is measured: four bytes a token, responses of the full generation.max_new_tokens, judgments of
// a quarter of the prompt's max_tokens. `measured`: by annotator's name. Errors as prompt_of().
RunEstimate estimate_judging(const RunConfig& config, const InstructionFigures& figures,
                             const std::map<std::string, MeasuredUse>& measured);

// Whether not every annotator is asked about every response: a fallback chain, or a referee.
bool asks_fewer(const RunConfig& config);

Json run_estimate_json(const RunEstimate& estimate);
// A few lines for people on each annotator, its warnings at their end, and the sum of several.
std::string run_estimate_text(const RunEstimate& estimate);

// "$1.23", "$0.0042".
std::string dollars_text(std::int64_t micros);

}  // namespace cutd
