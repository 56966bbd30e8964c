// Which tokens of a response CUT finds inappropriate under a judgment: asked of the engine when someone looks, kept in
// the store. The values are those that the round's training begins with: of the model it started from.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "core/log.h"
#include "engine/engine.h"
#include "round/frozen_run.h"
#include "store/store.h"

namespace cutd {

// What is to be shown: a response of a round and its settled judgment.
struct ExplainedJudgment {
  ResponseId response;
  JudgmentId judgment;
  std::string judgment_text;
  std::string judgment_hash;
  FrozenRun frozen;
  RoundId round;
};

// The judgment, or without one the response's first negative (else its first settled) one. Error: kNotFound, kConflict
// where there is nothing to explain: no settled judgment, or a response that no round trains on.
ExplainedJudgment find_explained(Reader& reader, ResponseId response, std::optional<JudgmentId> judgment);

// Thread-safe; one thread of its own asks the engine, whose work in progress comes first.
class TokenExplanations {
 public:
  // References must outlive it.
  TokenExplanations(Store& store, Engine& engine, Logger& logger);
  ~TokenExplanations();

  // [{"id", "text", "logprob", "logprob_with_judgment", "detected"}…]; none: asked for, come again.
  // Error(kUnavailable) with the engine's last failure, once: the next call asks it anew.
  std::optional<Json> find_or_ask(const ExplainedJudgment& what);

 private:
  void work(std::stop_token stop);
  Json explain(const ExplainedJudgment& what, std::stop_token stop);

  Store& store_;
  Engine& engine_;
  Logger& logger_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<ExplainedJudgment> wanted_;        // guarded by mutex_
  std::set<JudgmentId> waiting_;                // guarded by mutex_
  std::map<JudgmentId, std::string> failures_;  // guarded by mutex_
  std::jthread thread_;                         // last: starts when the rest is there
};

}  // namespace cutd
