#include "judge_client/checks.h"

namespace cutd {
namespace {

// The folded words of a phrase of the guideline.
std::vector<std::string> phrase_words(const std::string& phrase) {
  std::vector<std::string> bare;
  for (const Word& word : split_words(phrase)) bare.push_back(bare_word(word.text));
  return bare;
}

bool matches_at(const ReadResponse& response, std::size_t first, const std::vector<std::string>& phrase) {
  if (phrase.empty() || first + phrase.size() > response.bare.size()) return false;
  for (std::size_t i = 0; i < phrase.size(); ++i) {
    if (response.bare[first + i] != phrase[i]) return false;
  }
  return true;
}

}  // namespace

Finding check_opening(const Guideline& guideline, const ReadResponse& response) {
  for (const std::string& opening : guideline.forbidden_openings) {
    if (!matches_at(response, 0, phrase_words(opening))) continue;
    return "It opens with chatter: " + quote_words(guideline, response, 0, guideline.max_quoted_words) + ".";
  }
  return std::nullopt;
}

Finding check_self_talk(const Guideline& guideline, const ReadResponse& response) {
  std::vector<std::vector<std::string>> phrases;
  for (const std::string& phrase : guideline.self_talk) phrases.push_back(phrase_words(phrase));
  for (std::size_t first = 0; first < response.bare.size(); ++first) {
    for (const std::vector<std::string>& phrase : phrases) {
      if (!matches_at(response, first, phrase)) continue;
      return "It talks about itself: " + quote_words(guideline, response, first, guideline.max_quoted_words) + ".";
    }
  }
  return std::nullopt;
}

}  // namespace cutd
