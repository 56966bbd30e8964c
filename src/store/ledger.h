// What paid requests have cost, read: balances, the entries behind them, and what a request uses on average. They are
// written with the attempts themselves (store/attempts.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/attempts.h"
#include "store/store.h"

namespace cutd {

struct Spending {
  std::string annotator;
  std::string scope;
  std::int64_t reserved = 0;
  std::int64_t spent = 0;
};
std::vector<Spending> list_spending(Reader& reader);  // by annotator and scope

// What `payer` has cost, or may cost, in the judging of a run's rounds and of the evaluations by the run's `annotator`
// since its start. A quorum's evaluations bear the quorum; the money is booked under its members' names.
std::int64_t spent_on_run(Reader& reader, RunId run, AnnotatorId annotator, AnnotatorId payer);

struct LedgerEntry {
  std::int64_t id = 0;
  std::string kind;  // reserve | settle | release
  std::int64_t amount = 0;
  AttemptRowId attempt;
  JudgmentId judgment;
  std::int64_t number = 1;  // of the attempt
  AnnotatorId annotator;
  std::optional<RunId> run;  // none: of an evaluation
  std::optional<RoundId> round;
  std::int64_t at = 0;
};
// Newest first, older than `before` (0: from the newest), of one run's rounds where `run` is given.
std::vector<LedgerEntry> list_ledger(Reader& reader, RunId run, std::int64_t before, std::int64_t limit);

// What received attempts of an annotator used on average; nullopt: fewer than `least` of them are known.
struct MeasuredUse {
  std::int64_t attempts = 0;
  double input_tokens = 0;
  double output_tokens = 0;
};
std::optional<MeasuredUse> measured_use(Reader& reader, const std::string& annotator, std::int64_t least);

}  // namespace cutd
