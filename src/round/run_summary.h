// The outcome of a run as plain data: for `cutd demo --json`, the terminal's table and the report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
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
  double ended = 0;          // share of responses that the model ended by itself
  std::int64_t missing = 0;  // answers without a judgment, which the share leaves out
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

// The adapter that a run builds on, and the round that made it.
struct StartSummary {
  AdapterId adapter;
  RunId run;
  std::int64_t round_number = 0;
  std::string hash;
};

struct RunSummary {
  RunId id;
  std::string name;
  RunState state = RunState::kActive;
  std::string reason;
  std::optional<StartSummary> start;     // none: the base
  std::optional<ScoreSummary> baseline;  // untrained model on the gate set
  std::optional<ScoreSummary> report_untrained;
  std::optional<ScoreSummary> report_kept;  // of what it started from when nothing was promoted
  std::vector<RoundSummary> rounds;
  double seconds = 0;  // from the run's start to its last change of state
};

// "adapter 3 (round 2 of run 1)"
std::string start_words(const StartSummary& start);

// `data_dir` makes adapter paths absolute. Throws Error(kNotFound) for an unknown run.
// Summaries of rounds that are over, which stay what they are: comparing two evaluations takes a bootstrap of thousands
// of draws, too much for a page that is looked at often. Thread-safe.
class RoundSummaryCache {
 public:
  // What was kept for the round as it is now, or made by `make` and kept when the round is over.
  RoundSummary get(Reader& reader, const Round& round, const std::function<RoundSummary()>& make);

 private:
  struct Kept {
    std::int64_t updated_at = 0;
    std::optional<AdapterState> adapter;
    RoundSummary summary;
  };
  std::mutex mutex_;
  std::map<RoundId, Kept> kept_;  // guarded by mutex_
};

// One round of a run. Error(kNotFound).
RoundSummary summarize_round(Reader& reader, RoundId round, const std::filesystem::path& data_dir,
                             RoundSummaryCache* cache = nullptr);
Json round_summary_json(const RoundSummary& round);

RunSummary summarize_run(Reader& reader, RunId run, const std::filesystem::path& data_dir,
                         RoundSummaryCache* cache = nullptr);

// {"start":{"adapter","run","round","hash"} or
// null,"baseline":{"score","interval":[lo,hi],…},"rounds":[{"score","interval","promoted","adapter",…}],"seconds",…}
Json run_summary_json(const RunSummary& summary);

}  // namespace cutd
