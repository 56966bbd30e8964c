// The checks of the rule annotator, in the order in which a judgment names their findings. Each looks at
// one kind of defect and quotes the words that are wrong, exactly as written, so that they can be found
// again in the response by copying. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judge_client/guideline.h"
#include "judge_client/words.h"

namespace cutd {

// A response prepared once for all checks. The views point into the text it was made from.
struct ReadResponse {
  std::string_view text;  // blanks around it removed
  std::vector<Word> words;
  std::vector<std::string> folded;  // folded words, punctuation kept
  std::vector<std::string> bare;    // folded words without punctuation around them
  bool ended = true;                // the model stopped by itself
};
ReadResponse read_response(std::string_view text, bool ended);

// One sentence of a judgment, or nothing when the check passes.
using Finding = std::optional<std::string>;

// style_checks.cc
Finding check_opening(const Guideline& guideline, const ReadResponse& response);
Finding check_self_talk(const Guideline& guideline, const ReadResponse& response);
// layout_checks.cc
Finding check_list(const Guideline& guideline, const ReadResponse& response);
Finding check_markup(const Guideline& guideline, const ReadResponse& response);
Finding check_line_break(const Guideline& guideline, const ReadResponse& response);
// repetition_check.cc
Finding check_repetition(const Guideline& guideline, const ReadResponse& response);
// length_checks.cc
Finding check_overrun(const Guideline& guideline, const ReadResponse& response);
Finding check_too_short(const Guideline& guideline, const ReadResponse& response);
Finding check_final_stop(const Guideline& guideline, const ReadResponse& response);
// subject_check.cc
Finding check_subject(const Guideline& guideline, std::string_view instruction, const ReadResponse& response);

// `count` words (at most the guideline's limit) from `first` on, in double quotes.
std::string quote_words(const Guideline& guideline, const ReadResponse& response, std::size_t first, std::size_t count);
// The last words of the response, in double quotes.
std::string quote_end(const Guideline& guideline, const ReadResponse& response);

}  // namespace cutd
