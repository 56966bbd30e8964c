// When is a response satisfactory? The one place that turns a judgment into a label (method.md section 1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cutd {

// The least numeric score that counts as satisfactory.
constexpr double kPositiveScore = 7;

// True when the judgment is absent (JSON null), begins with "Perfect.", is only the word "perfect"
// (blanks, quotes, one final '.' or '!' and case do not matter), or the score is at least 7. The text is
// never searched: "almost perfect" criticises. Anything else is negative, so only validated judgments
// may be passed in.
bool is_positive(const std::optional<std::string>& judgment, std::optional<double> score = std::nullopt);

// The text part of the rule.
bool is_positive_text(std::string_view judgment);

}  // namespace cutd
