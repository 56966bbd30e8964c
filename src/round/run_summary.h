// The outcome of a run as plain data: for `cutd demo --json`, the terminal's table and the report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "core/json.h"
#include "evaluation/guards.h"
#include "evaluation/interval.h"

namespace cutd {

class Reader;

struct ScoreSummary {
  EvaluationId evaluation;
  Share share;  // of Perfect judgments
  GuardValues guards;
  double ended = 0;  // share of responses that the model ended by itself
};

struct RoundSummary {
  RoundId id;
  std::int64_t number = 0;
  Phase phase = Phase::kCreated;
  std::optional<Outcome> outcome;
  std::string reason;  // why promoted, rejected, paused or failed
  std::int64_t responses = 0;
  std::int64_t positives = 0;  // of the judgments
  std::int64_t negatives = 0;
  std::int64_t judgments_failed = 0;
  std::int64_t training_examples = 0;  // rows of the manifest
  std::int64_t training_steps = 0;
  std::optional<double> first_loss;
  std::optional<double> last_loss;
  std::optional<double> detected_fraction;  // mean over the steps
  std::optional<ScoreSummary> gate;         // of the candidate
  std::optional<ScoreSummary> gate_parent;  // of what it was compared with
  std::optional<PairedDifference> difference;
  std::vector<GuardResult> guard_results;  // of the candidate, once compared
  std::optional<std::string> adapter;      // cumulative PEFT folder; none before it is published
  std::optional<std::string> adapter_hash;
};

struct RunSummary {
  RunId id;
  std::string name;
  RunState state = RunState::kActive;
  std::string reason;
  std::optional<ScoreSummary> baseline;  // untrained model on the gate set
  std::optional<ScoreSummary> report_untrained;
  std::optional<ScoreSummary> report_kept;  // equal to report_untrained when nothing was promoted
  std::vector<RoundSummary> rounds;
  double seconds = 0;  // from the run's start to its last change of state
};

// `data_dir` makes adapter paths absolute. Throws Error(kNotFound) for an unknown run.
RunSummary summarize_run(Reader& reader, RunId run, const std::filesystem::path& data_dir);

// {"baseline":{"score","interval":[lo,hi],…},"rounds":[{"score","interval","promoted","adapter",…}],"seconds",…}
Json run_summary_json(const RunSummary& summary);

}  // namespace cutd
