// What `cutd judge test` shows. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "judge_client/annotator.h"
#include "round/judge_trial.h"

namespace cutd {

Json trial_json(const AnnotatorConfig& annotator, const std::vector<TrialItem>& items, const Trial& trial);
std::string trial_text(const AnnotatorConfig& annotator, const std::vector<TrialItem>& items, const Trial& trial);

// Why items got no verdict, and how many each: the commonest first.
std::vector<std::pair<std::string, std::size_t>> trial_reasons(const Trial& trial);

// What is wrong and what to do; nullopt: every item got its verdict.
std::optional<std::string> trial_advice(const AnnotatorConfig& annotator, const Trial& trial);

}  // namespace cutd
