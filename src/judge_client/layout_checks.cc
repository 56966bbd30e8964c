#include <algorithm>

#include "judge_client/checks.h"

namespace cutd {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "1." or "2)": the number, or 0 for any other word.
int list_number(std::string_view word) {
  if (word.size() < 2 || word.size() > 3 || (word.back() != '.' && word.back() != ')')) return 0;
  word.remove_suffix(1);
  if (!all_digits(word)) return 0;
  return std::stoi(std::string(word));
}

bool is_bullet(std::string_view word) {
  return word == "-" || word == "*" || word == "+" || word == "\u2022" || word == "\u2013" || word == "\u25CF" ||
         word == "\u25AA";
}

// "Step 1:" or, at the start of a line, "Step 1".
bool is_label(const ReadResponse& response, std::size_t i, bool at_line_start) {
  if (i + 1 >= response.words.size()) return false;
  const std::string& label = response.bare[i];
  if (label != "step" && label != "day" && label != "week" && label != "tip" && label != "option") return false;
  if (!all_digits(response.bare[i + 1])) return false;
  const char last = response.words[i + 1].text.back();
  return at_line_start || last == ':' || last == ')';
}

bool starts_line(const ReadResponse& response, std::size_t i) {
  if (i == 0) return true;
  const std::size_t gap_begin = response.words[i - 1].end;
  const std::string_view gap = response.text.substr(gap_begin, response.words[i].begin - gap_begin);
  return gap.find('\n') != std::string_view::npos;
}

// The first word that is laid out as an item. Inside a line, "1." counts only when a "2." follows:
// a sentence may well end with a number.
std::optional<std::size_t> find_item(const ReadResponse& response) {
  std::optional<std::size_t> first_number;
  for (std::size_t i = 0; i < response.words.size(); ++i) {
    const std::string_view word = response.words[i].text;
    const bool at_line_start = starts_line(response, i);
    const bool alone = i + 1 == response.words.size() && i == 0;
    const int number = list_number(word);
    if (at_line_start && !alone && (number > 0 || is_bullet(word))) return i;
    if (is_label(response, i, at_line_start)) return i;
    if (number == 1 && !first_number) first_number = i;
    if (number == 2 && first_number) return first_number;
  }
  return std::nullopt;
}

bool is_tag(std::string_view word) {
  const std::size_t open = word.find('<');
  if (open == std::string_view::npos || open + 1 >= word.size()) return false;
  const char next = word[open + 1];
  const bool named = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '/';
  return named && word.find('>', open) != std::string_view::npos;
}

bool has_markup(const ReadResponse& response, std::size_t i) {
  const std::string_view word = response.words[i].text;
  if (word.find("**") != std::string_view::npos || word.find("__") != std::string_view::npos) return true;
  if (word.find('`') != std::string_view::npos || is_tag(word)) return true;
  if (!starts_line(response, i)) return false;
  const bool heading = word.find_first_not_of('#') == std::string_view::npos;
  const bool rule = word.size() >= 3 && (word.find_first_not_of('-') == std::string_view::npos ||
                                         word.find_first_not_of('=') == std::string_view::npos);
  return heading || rule || word.front() == '|' || word == ">";
}

}  // namespace

Finding check_list(const Guideline& guideline, const ReadResponse& response) {
  if (!guideline.forbid_lists) return std::nullopt;
  const std::optional<std::size_t> item = find_item(response);
  if (!item) return std::nullopt;
  return "It is laid out as a list: " + quote_words(guideline, response, *item, guideline.max_quoted_words) + ".";
}

Finding check_markup(const Guideline& guideline, const ReadResponse& response) {
  if (!guideline.forbid_markup) return std::nullopt;
  for (std::size_t i = 0; i < response.words.size(); ++i) {
    if (!has_markup(response, i)) continue;
    return "It uses markup: " + quote_words(guideline, response, i, guideline.max_quoted_words) + ".";
  }
  return std::nullopt;
}

Finding check_line_break(const Guideline& guideline, const ReadResponse& response) {
  if (!guideline.forbid_line_breaks) return std::nullopt;
  for (std::size_t i = 1; i < response.words.size(); ++i) {
    if (!starts_line(response, i)) continue;
    const std::size_t first = i >= 2 ? i - 2 : 0;  // two words lead up to the break
    return "It breaks the line: " + quote_words(guideline, response, first, guideline.max_quoted_words) + ".";
  }
  return std::nullopt;
}

}  // namespace cutd
