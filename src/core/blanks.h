#pragma once

#include <string_view>

namespace cutd {

// What separates words and lines in texts of people and models: the blanks of ASCII. (The invisible characters of
// Unicode are judge_client/markers.h's matter.)
inline constexpr std::string_view kBlanks = " \t\r\n";

constexpr bool is_blank(std::string_view text) { return text.find_first_not_of(kBlanks) == std::string_view::npos; }

// `text` without the blanks at its ends; a view into it.
constexpr std::string_view trim_blanks(std::string_view text) {
  if (is_blank(text)) return {};
  const std::size_t first = text.find_first_not_of(kBlanks);
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace cutd
