#include <algorithm>
#include <set>

#include "judge_client/checks.h"
#include "judge_client/stem.h"

namespace cutd {
namespace {

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Short words of Latin letters carry no subject ("ox" is the price); an ideograph is one by itself.
bool is_content_word(const std::string& bare) {
  if (bare.empty() || is_stop_word(bare)) return false;
  const bool ascii = static_cast<unsigned char>(bare[0]) < 0x80;
  return !ascii || character_count(bare) >= 3;
}

// Content words joined by hyphens or slashes count each ("sea-level" speaks of "sea" and "level").
void add_content_words(const std::string& bare, std::vector<std::string>& words) {
  std::size_t start = 0;
  while (start <= bare.size()) {
    const std::size_t end = std::min(bare.find_first_of("-/", start), bare.size());
    const std::string part = bare_word(std::string_view(bare).substr(start, end - start));
    if (is_content_word(part)) words.push_back(part);
    start = end + 1;
  }
}

}  // namespace

Finding check_subject(const Guideline& guideline, std::string_view instruction, const ReadResponse& response) {
  if (!guideline.require_subject || response.words.empty()) return std::nullopt;
  std::vector<std::string> asked;
  for (const Word& word : split_words(instruction)) add_content_words(bare_word(word.text), asked);
  if (asked.empty()) return std::nullopt;
  std::vector<std::string> said;
  for (const std::string& bare : response.bare) add_content_words(bare, said);
  std::set<std::string> stems;
  for (const std::string& word : said) stems.insert(stem(word));
  if (std::any_of(asked.begin(), asked.end(), [&](const std::string& word) { return stems.contains(stem(word)); }))
    return std::nullopt;
  return "It does not mention the subject asked (" + asked.front() +
         "): " + quote_words(guideline, response, 0, guideline.max_quoted_words) + ".";
}

}  // namespace cutd
