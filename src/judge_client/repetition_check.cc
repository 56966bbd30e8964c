#include <map>

#include "judge_client/checks.h"

namespace cutd {
namespace {

constexpr std::size_t kLongestPiece = 24;  // bytes

// The second occurrence of any `count` words in a row.
std::optional<std::size_t> find_repeated_words(const ReadResponse& response, std::size_t count) {
  std::vector<std::size_t> places;  // words that hold more than punctuation
  for (std::size_t i = 0; i < response.bare.size(); ++i) {
    if (!response.bare[i].empty()) places.push_back(i);
  }
  std::map<std::string, std::size_t> seen;
  for (std::size_t first = 0; first + count <= places.size(); ++first) {
    std::string window;
    for (std::size_t i = 0; i < count; ++i) window += response.bare[places[first + i]] + " ";
    if (!seen.emplace(std::move(window), first).second) return places[first];
  }
  return std::nullopt;
}

// Digits and blanks repeat in ordinary numbers and layout.
bool is_telling(std::string_view piece) {
  return piece.find_first_not_of("0123456789 \n\t.,") != std::string_view::npos || piece == ".";
}

// The word in which the same piece has come for the second of `count` times in a row.
std::optional<std::size_t> find_repeated_piece(const ReadResponse& response, std::size_t count) {
  std::string text;                  // folded words, one blank after each
  std::vector<std::size_t> word_of;  // of each byte of `text`
  for (std::size_t i = 0; i < response.folded.size(); ++i) {
    text += response.folded[i] + " ";
    word_of.resize(text.size(), i);
  }
  for (std::size_t length = 1; length <= kLongestPiece; ++length) {
    std::size_t equal = 0;
    for (std::size_t i = 0; i + length < text.size(); ++i) {
      equal = text[i] == text[i + length] ? equal + 1 : 0;
      if (equal < length * (count - 1)) continue;
      const std::size_t begin = i + 1 - equal;
      if (is_telling(std::string_view(text).substr(begin, length)))
        return word_of[text.find_first_not_of(' ', begin + length)];
      equal = 0;
    }
  }
  return std::nullopt;
}

}  // namespace

Finding check_repetition(const Guideline& guideline, const ReadResponse& response) {
  std::optional<std::size_t> place;
  if (guideline.repeated_words > 0)
    place = find_repeated_words(response, static_cast<std::size_t>(guideline.repeated_words));
  if (!place && guideline.repeated_pieces > 0)
    place = find_repeated_piece(response, static_cast<std::size_t>(guideline.repeated_pieces));
  if (!place) return std::nullopt;
  return "It repeats itself: " + quote_words(guideline, response, *place, guideline.max_quoted_words) + ".";
}

}  // namespace cutd
