// From the text of a reply to a verdict. Parsers are named, so that an annotator is data. What is not surely a
// judgment of this item is a failure, never a criticism: a label is made of nothing else (reliability P16).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "judge_client/judge.h"

namespace cutd {

// `perfect_prefix` (method.md section 1): positive when the text begins with "Perfect." or is only that
// word (blanks, quotes, a final '.' or '!' and case aside); anything else is a criticism. The word is
// never searched inside the text: "almost perfect" is a criticism. Empty or blank text, text with a
// NUL and text that is not UTF-8 are failures: they say nothing about the response.
JudgeOutcome parse_perfect_prefix(std::string_view reply);

struct VerdictRule {
  // perfect_prefix, as above
  // yes_no_decision   a judgment in words, then "Yes." (perfect) or "No." at the end (the paper's Figure 9)
  // json_schema       {"perfect": bool, "critique": text}
  // rating_threshold  {"rating": 1..10, "critique": text}: perfect from `threshold` up
  std::string parser = "perfect_prefix";
  double threshold = 10;
  bool has_item = false;  // JSON: "item" must be the code that was sent
};

std::vector<std::string> verdict_parsers();

// The reply of a model to a judging prompt: what no parser may take for a judgment is refused first (an HTML page, an
// error object, a refusal, the prompt echoed back, a training delimiter, more than kMostJudgmentBytes), then
// `rule.parser` reads it, strictly. Error(kUsage) for an unknown parser.
JudgeOutcome parse_verdict(const VerdictRule& rule, std::string_view reply, std::string_view item = "");

constexpr std::size_t kMostJudgmentBytes = std::size_t{16} * 1024;

}  // namespace cutd
