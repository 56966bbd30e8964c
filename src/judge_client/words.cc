#include "judge_client/words.h"

#include <algorithm>
#include <array>

namespace cutd {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_space(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x3000;
}

// Ideographs and kana, written without spaces; their punctuation stays with the character before it.
bool stands_alone(char32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3134F);
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

char32_t lower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 0x20;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;  // Latin-1
  if (c >= 0x100 && c <= 0x17F && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149 && c != 0x178 && c != 0x17F) {
    // Latin Extended-A: pairs of capital and small letter; the odd one is capital in two stretches.
    const bool capital_is_odd = (c >= 0x139 && c <= 0x148) || c >= 0x179;
    return (c % 2 == 1) == capital_is_odd ? c + 1 : c;
  }
  if (c >= 0x391 && c <= 0x3A9) return c + 0x20;  // Greek
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;  // Cyrillic
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  if (c == 0x2019 || c == 0x2018) return '\'';
  return c;
}

bool is_stop(char32_t c) {
  return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF0E ||
         c == 0x0964 || c == 0x06D4 || c == 0x061F;
}

bool is_closer(char32_t c) {
  return c == '"' || c == '\'' || c == ')' || c == ']' || c == '}' || c == 0x2019 || c == 0x201D || c == 0xBB ||
         c == 0x300D || c == 0x300F || c == 0xFF09;
}

std::vector<char32_t> characters(std::string_view text) {
  std::vector<char32_t> result;
  for (std::size_t position = 0; position < text.size();) result.push_back(next_character(text, position));
  return result;
}

bool is_abbreviation(const std::string& bare) {
  static constexpr std::array<std::string_view, 19> kAbbreviations = {
      "e.g", "i.e", "etc", "dr",     "mr", "mrs", "ms",  "st",  "vs", "prof",
      "jr",  "sr",  "fig", "approx", "cf", "u.s", "u.k", "a.m", "p.m"};
  if (bare.size() == 1 && bare[0] >= 'a' && bare[0] <= 'z' && bare[0] != 'i') return true;  // an initial
  return std::find(kAbbreviations.begin(), kAbbreviations.end(), bare) != kAbbreviations.end();
}

// A small letter goes on with the sentence; a capital, a digit, a quote or another script may begin one.
bool can_begin_sentence(std::string_view word) {
  std::size_t position = 0;
  const char32_t first = next_character(word, position);
  return !(first >= 'a' && first <= 'z') && first != ',' && first != ';';
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(position++);
  if (lead < 0x80) return lead;
  const int extra = lead >= 0xF0 && lead < 0xF5   ? 3
                    : lead >= 0xE0 && lead < 0xF0 ? 2
                    : lead >= 0xC2 && lead < 0xE0 ? 1
                                                  : 0;
  if (extra == 0 || position + extra > text.size()) return kReplacement;
  char32_t value = lead & (0x3F >> extra);
  for (int i = 0; i < extra; ++i) {
    if ((byte(position + i) & 0xC0) != 0x80) return kReplacement;
    value = (value << 6) | (byte(position + i) & 0x3F);
  }
  const char32_t least = extra == 3 ? 0x10000 : extra == 2 ? 0x800 : 0x80;
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return kReplacement;
  position += extra;
  return value;
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t before = position;
    // A written U+FFFD is three bytes long; a bad byte moves by one.
    if (next_character(text, position) == kReplacement && position - before == 1) return false;
  }
  return true;
}

bool is_word_character(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  return c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x3000 && c <= 0x303F) &&
         !(c >= 0xFF00 && c <= 0xFF0F) && !(c >= 0xFF1A && c <= 0xFF20) && c != kReplacement && c != 0x0964 &&
         c != 0x06D4 && c != 0x061F && c < 0x1F000;
}

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  std::size_t begin = std::string_view::npos;  // of the word being read
  bool alone = false;                          // it is a character that stands alone
  const auto close = [&](std::size_t end) {
    if (begin != std::string_view::npos) words.push_back({text.substr(begin, end - begin), begin, end});
    begin = std::string_view::npos;
    alone = false;
  };
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    const char32_t c = next_character(text, position);
    if (is_space(c)) {
      close(start);
      continue;
    }
    const bool single = stands_alone(c);
    if (single || (alone && is_word_character(c))) close(start);
    if (begin == std::string_view::npos) begin = start;
    alone = alone || single;
  }
  close(text.size());
  return words;
}

std::string fold(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) append_utf8(folded, lower(next_character(text, position)));
  return folded;
}

std::string bare_word(std::string_view word) {
  const std::string folded = fold(word);
  std::size_t first = std::string::npos;
  std::size_t last = 0;
  for (std::size_t position = 0; position < folded.size();) {
    const std::size_t start = position;
    if (!is_word_character(next_character(folded, position))) continue;
    if (first == std::string::npos) first = start;
    last = position;
  }
  return first == std::string::npos ? std::string() : folded.substr(first, last - first);
}

bool ends_sentence(const std::vector<Word>& words, std::size_t i) {
  std::vector<char32_t> tail = characters(words[i].text);
  while (!tail.empty() && is_closer(tail.back())) tail.pop_back();
  if (tail.empty() || !is_stop(tail.back())) return false;
  if (i + 1 == words.size()) return true;
  if (tail.back() == '.' && is_abbreviation(bare_word(words[i].text))) return false;
  return can_begin_sentence(words[i + 1].text);
}

std::string_view words_text(std::string_view text, const std::vector<Word>& words, std::size_t first,
                            std::size_t count) {
  if (first >= words.size() || count == 0) return {};
  const std::size_t last = std::min(words.size(), first + count) - 1;
  return text.substr(words[first].begin, words[last].end - words[first].begin);
}

}  // namespace cutd
