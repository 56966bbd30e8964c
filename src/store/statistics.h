// Counts for metrics and pages, read from what is counted already: none of them reads a long table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

struct LabelledCount {
  std::string label;
  std::int64_t count = 0;
};

struct StoreStatistics {
  std::vector<LabelledCount> judgments;   // by state
  std::vector<LabelledCount> rounds;      // by phase
  std::vector<LabelledCount> deliveries;  // by state
  std::int64_t last_completed_at = 0;     // wall-clock microseconds; 0: no round completed yet
  std::int64_t bytes = 0;                 // of the database file
  std::int64_t spent = 0;                 // micro-dollars, by all judges ever
  std::int64_t reserved = 0;              // micro-dollars, of requests under way or lost
  std::int64_t unknown_attempts = 0;      // whose outcome was lost and that nobody has resolved
  std::int64_t oldest_lease_at = 0;       // wall-clock microseconds, of a live lease; 0: none
};

StoreStatistics read_statistics(Reader& reader);

// An annotator's judgments, of all runs or of one.
struct AnnotatorCounts {
  std::int64_t pending = 0;
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t positive = 0;
  std::int64_t negative = 0;
};
struct CountedAnnotator {
  Annotator annotator;
  AnnotatorCounts counts;
};
// By id; of `run` alone those that judged its rounds.
std::vector<CountedAnnotator> list_annotators(Reader& reader, std::optional<RunId> run);

}  // namespace cutd
