// Answers in a row that were paid and are no judgments. One is bad luck; twenty without a verdict between them are an
// annotator that cannot do what it is asked (a model that does not follow the prompt, a server that leaves the JSON
// schema out), and asking on would only cost.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "judge_client/judge.h"

namespace cutd {

// One thread.
class UnusableStreak {
 public:
  // A verdict ends the streak, an unusable answer adds to it; other failures say nothing about answers.
  void add(const JudgeOutcome& outcome);

  // Why asking on would be wrong, with the most frequent cause; nullopt: it would not.
  std::optional<std::string> reason() const;

  // Kept over restarts and between a judge's short lives. One that is full is not kept: a person looks at it, and what
  // goes on after that begins anew.
  Json save() const;
  void restore(const Json& saved);  // null: nothing

 private:
  std::int64_t length() const;

  std::map<std::string, std::int64_t> causes_;  // how often each
};

}  // namespace cutd
