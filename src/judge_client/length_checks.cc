#include <algorithm>

#include "judge_client/checks.h"

namespace cutd {
namespace {

// How many words the response should have had: up to its last complete sentence within the limits;
// without such a sentence the limit itself. Nothing when a response within the limit has none.
std::optional<std::size_t> stopping_point(const Guideline& guideline, const ReadResponse& response) {
  const std::size_t count = response.words.size();
  const std::size_t least = static_cast<std::size_t>(std::max<std::int64_t>(guideline.min_words, 1));
  const std::size_t most = std::min(count, static_cast<std::size_t>(guideline.max_words));
  for (std::size_t kept = most; kept >= least; --kept) {
    if (kept < count && ends_sentence(response.words, kept - 1)) return kept;
  }
  if (count > most) return most;
  return std::nullopt;
}

}  // namespace

Finding check_overrun(const Guideline& guideline, const ReadResponse& response) {
  const bool too_long = response.words.size() > static_cast<std::size_t>(guideline.max_words);
  const bool broken_off = guideline.require_complete_end && !response.ended;
  if (!too_long && !broken_off) return std::nullopt;
  const std::string what = too_long ? "It is too long" : "It breaks off";
  const std::optional<std::size_t> stop = stopping_point(guideline, response);
  if (!stop) return response.words.empty() ? what + "." : what + " unfinished: " + quote_end(guideline, response) + ".";
  // Two words lead up to the point, so that the first bad token can be found by copying.
  const std::size_t first = *stop >= 2 ? *stop - 2 : 0;
  return what + " and should have stopped within " +
         quote_words(guideline, response, first, guideline.max_quoted_words) + ".";
}

Finding check_too_short(const Guideline& guideline, const ReadResponse& response) {
  if (response.words.empty()) return "It is empty.";
  if (response.words.size() >= static_cast<std::size_t>(guideline.min_words)) return std::nullopt;
  return "It is too short and ends after " + quote_end(guideline, response) + ".";
}

Finding check_final_stop(const Guideline& guideline, const ReadResponse& response) {
  if (!guideline.require_complete_end || !response.ended || response.words.empty()) return std::nullopt;
  if (ends_sentence(response.words, response.words.size() - 1)) return std::nullopt;
  return "It does not end with a complete sentence: " + quote_end(guideline, response) + ".";
}

}  // namespace cutd
