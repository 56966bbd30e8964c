#include "dataset/label_rule.h"

#include <algorithm>
#include <cctype>

namespace cutd {
namespace {

bool is_trimmed(char c) {
  return c == '"' || c == '\'' || c == '`' || std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string_view trim_blanks_and_quotes(std::string_view text) {
  while (!text.empty() && is_trimmed(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_trimmed(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_positive_text(std::string_view judgment) {
  if (judgment.starts_with("Perfect.")) return true;
  std::string_view word = trim_blanks_and_quotes(judgment);
  if (!word.empty() && (word.back() == '.' || word.back() == '!')) word.remove_suffix(1);
  word = trim_blanks_and_quotes(word);
  constexpr std::string_view kPerfect = "perfect";
  return std::equal(word.begin(), word.end(), kPerfect.begin(), kPerfect.end(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

bool is_positive(const std::optional<std::string>& judgment, std::optional<double> score) {
  if (!judgment.has_value()) return true;
  if (score.has_value() && *score >= kPositiveScore) return true;
  return is_positive_text(*judgment);
}

}  // namespace cutd
