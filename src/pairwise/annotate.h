// Judges pairs of outputs through a ChatClient: each distinct pair once, identical outputs without a call, whatever was
// paid before from the journal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "evaluation/alpaca_eval.h"
#include "llm_api/chat_client.h"
#include "pairwise/evaluator.h"

namespace cutd {

struct AnnotateOptions {
  PairwiseEvaluator evaluator;
  std::string key;                    // of the API; empty: none is sent
  std::filesystem::path journal;      // pairwise/journal.h
  std::int64_t max_cost = 0;          // micro-dollars that the journal may hold in all; mandatory where it costs
  std::int64_t max_request_cost = 0;  // of one request; 0: as max_cost
  bool resend_unknown = false;        // ask again where an answer was lost, which may be charged twice
  HttpClientOptions http;
  RateLimits rate;
  RetryPolicy retry;
};

struct AnnotateProgress {
  std::int64_t pairs = 0;      // distinct ones
  std::int64_t identical = 0;  // of them, draws without a call
  std::int64_t reused = 0;     // answered before this call
  std::int64_t asked = 0;      // submitted by this call
  std::int64_t finished = 0;   // of those
  std::int64_t spent = 0;      // micro-dollars, of all calls
};

struct AnnotateResult {
  std::vector<PairAnnotation> annotations;  // as given, with what is known; a preference may be missing
  AnnotateProgress progress;
  std::int64_t unparsed = 0;  // of the distinct pairs: a reply came and is no verdict
  std::int64_t failed = 0;    // no reply
  std::int64_t unknown = 0;   // of those, where the answer was lost and may be charged
  std::int64_t capped = 0;    // not asked: max_cost is reached
  std::int64_t left = 0;      // not asked: stopped
  // Why asking on would be wrong until a person has acted: credit is used up, or key, URL, model or certificate are
  // wrong (is_about_annotator()); empty: it would not. The pairs that met it are left, as good as before.
  std::string paused;
  std::map<std::string, std::int64_t> reasons;  // of the unparsed and the failed: how many pairs each
};

// Adds to each annotation "price_per_example" (dollars), "time_per_example" (seconds), "raw_completion" and, where
// there is no preference, "failure". `on_progress` is called in this thread after every reply. Error(kUsage) when a cap
// is missing.
AnnotateResult annotate_pairs(std::vector<PairAnnotation> pairs, const AnnotateOptions& options, const Clock& clock,
                              std::stop_token stop, const std::function<void(const AnnotateProgress&)>& on_progress);

// What asking for all of them can cost at most, in micro-dollars, and how many calls that is; nothing is sent.
struct AnnotateEstimate {
  std::int64_t calls = 0;
  std::int64_t most_cost = 0;
};
AnnotateEstimate estimate_annotation(const std::vector<PairAnnotation>& pairs, const PairwiseEvaluator& evaluator);

}  // namespace cutd
