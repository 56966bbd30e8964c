// From the text of a reply to a verdict. Parsers are named, so that an annotator is data.
#pragma once

#include <string>
#include <string_view>

#include "judge_client/judge.h"

namespace cutd {

// `perfect_prefix` (method.md section 1): positive when the text begins with "Perfect." or is only that
// word (blanks, quotes, a final '.' or '!' and case aside); anything else is a criticism. The word is
// never searched inside the text: "almost perfect" is a criticism. Empty or blank text, text with a
// NUL and text that is not UTF-8 are failures: they say nothing about the response.
JudgeOutcome parse_perfect_prefix(std::string_view reply);

// The parser called `name`; Error(kUsage) for an unknown one.
using VerdictParser = JudgeOutcome (*)(std::string_view reply);
VerdictParser verdict_parser(const std::string& name);

}  // namespace cutd
