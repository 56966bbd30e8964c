// What the ledger says to someone who looks at a run: sums of a run and of its rounds, which scopes can still be spent
// in, and how each annotator's newest requests went. Reads are bounded: none of them grows with the ledger.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct SpentSum {
  std::int64_t reserved = 0;  // micro-dollars
  std::int64_t spent = 0;
};

struct RoundSpent {
  RoundId round;
  std::int64_t number = 0;
  SpentSum sum;  // of every annotator; what its candidate's evaluation cost is the run's
};
// The rounds of a run that cost something, newest first.
std::vector<RoundSpent> list_round_spending(Reader& reader, RunId run);

// A run's rounds, and the evaluations that were begun between its start and the next run's.
SpentSum sum_of_run(Reader& reader, RunId run);

// The scopes that more can be booked in at `now` (wall-clock microseconds): "total", the day, rounds and evaluations at
// work. What lies in the others is over and no cap can stop anything there.
std::set<std::string> list_open_scopes(Reader& reader, std::int64_t now);

// The newest requests of an annotator among the kNewestRequests of all.
constexpr std::int64_t kNewestRequests = 1000;
struct RequestFigures {
  std::int64_t count = 0;
  std::int64_t received = 0;
  std::int64_t failed = 0;                   // certainly not charged
  std::int64_t unknown = 0;                  // their outcome was lost
  std::int64_t refused = 0;                  // the model declined, or its provider withheld the answer
  std::int64_t truncated = 0;                // the answer ended at its token limit
  std::optional<double> median_seconds;      // of the received ones; a batch's are left out
  std::optional<double> slow_seconds;        // nine of ten came sooner
  std::optional<std::int64_t> mean_settled;  // micro-dollars, of the received ones
};
// Without those that sent none.
std::map<AnnotatorId, RequestFigures> read_request_figures(Reader& reader);

}  // namespace cutd
