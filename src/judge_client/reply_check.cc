#include "judge_client/reply_check.h"

#include <algorithm>
#include <array>

#include "dataset/prompt_template.h"
#include "judge_client/verdict.h"
#include "judge_client/words.h"

namespace cutd {
namespace {

// How models decline, folded. A judgment speaks of the response; these begin by speaking of the judge itself.
constexpr std::array<std::string_view, 15> kRefusals = {
    "i'm sorry", "i am sorry", "sorry, ",         "i apologize",      "i apologise",
    "i can't ",  "i cannot ",  "i can not ",      "i'm unable",       "i am unable",
    "i won't ",  "as an ai",   "i'm not able to", "i am not able to", "unfortunately, i "};

// Errors that servers and proxies put into the text of an answer.
constexpr std::array<std::string_view, 8> kErrors = {
    "error:",    "internal server error", "bad gateway", "gateway time-out", "gateway timeout",
    "upstream ", "service unavailable",   "rate limit"};

bool begins_with_one_of(std::string_view folded, const auto& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return folded.starts_with(beginning); });
}

// "502 bad gateway" without its number.
std::string_view without_status(std::string_view folded) {
  const bool status = folded.size() > 4 && folded[3] == ' ' && folded[0] >= '4' && folded[0] <= '5' &&
                      folded.substr(1, 2).find_first_not_of("0123456789") == std::string_view::npos;
  return status ? folded.substr(4) : folded;
}

bool has_a_word(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (is_word_character(next_character(text, position))) return true;
  }
  return false;
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::string> why_no_text(std::string_view text) {
  if (text.empty()) return "the reply is empty";
  if (text.size() > kMostJudgmentBytes) return "the reply is longer than any judgment";
  if (text.find('\0') != std::string_view::npos) return "the reply holds a NUL byte";
  if (!is_valid_utf8(text)) return "the reply is not UTF-8";
  return std::nullopt;
}

std::optional<std::string> why_no_judgment(std::string_view text) {
  if (const auto problem = why_no_text(trim_blanks(text))) return problem;
  const std::string folded = fold(trim_blanks(text));
  if (folded.front() == '<') return "the reply is a page, not a text";
  if (folded.front() == '{' || folded.front() == '[') return "the reply is an object, not a text";
  if (begins_with_one_of(folded, kRefusals)) return "the judge declined";
  if (begins_with_one_of(without_status(folded), kErrors)) return "the reply is an error message";
  if (neutralise_delimiters(text) != text) return "the reply holds a delimiter of the prompt";
  if (!has_a_word(text)) return "the reply holds no word";
  return std::nullopt;
}

}  // namespace cutd
