#include "judge_client/stem.h"

#include <algorithm>
#include <array>

namespace cutd {
namespace {

bool is_ascii_letters(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool has_vowel(std::string_view word) { return word.find_first_of("aeiouy") != std::string_view::npos; }

struct Suffix {
  std::string_view ending;
  std::string_view replacement;
  std::size_t least;  // letters that must remain
};

// Tried in order, longest first within a family; the first that fits is applied once.
// clang-format off
constexpr std::array<Suffix, 26> kSuffixes = {{
    {"ization", "iz", 3}, {"isation", "iz", 3}, {"ational", "at", 3}, {"fulness", "", 3}, {"ousness", "ous", 2},
    {"iveness", "iv", 3}, {"ication", "ic", 3}, {"ations", "at", 3},  {"ation", "at", 3},  {"ically", "ic", 3},
    {"ingly", "", 3},     {"ments", "", 4},     {"ness", "", 3},      {"ment", "", 4},     {"ions", "", 4},
    {"ion", "", 4},       {"ings", "", 3},      {"ing", "", 3},       {"edly", "", 3},     {"ers", "", 3},
    {"er", "", 3},        {"ed", "", 3},        {"ly", "", 4},        {"al", "", 5},       {"ies", "y", 2},
    {"es", "", 3},
}};
// clang-format on

std::string tidy(std::string word) {
  const std::size_t size = word.size();
  // Doubled consonant left by "-ing" and "-ed": "running" -> "run"; "ll", "ss", "zz" belong to the word.
  const bool doubled = size >= 4 && word[size - 1] == word[size - 2] &&
                       std::string_view("aeioulsz").find(word[size - 1]) == std::string_view::npos;
  const bool silent = size >= 4 && word.back() == 'e';
  if (doubled || silent) word.pop_back();
  if (word.size() >= 3 && word.back() == 'y') word.back() = 'i';
  return word;
}

// clang-format off
constexpr auto kStopWords = [] {
  std::array words = std::to_array<std::string_view>({
      "a", "about", "above", "across", "after", "again", "all", "also", "am", "an", "and", "another", "any", "are", "as", "at",
      "be", "because", "been", "before", "being", "below", "best", "better", "between", "both", "but", "by", "can", "could",
      "did", "do", "does", "doing", "done", "down", "during", "each", "easy", "either", "else", "ever", "every", "few", "for", "from",
      "further", "get", "give", "given", "go", "good", "great", "had", "has", "have", "having", "he", "help", "her", "here",
      "hers", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "keep", "kind", "know", "less", "let", "like",
      "long", "made", "main", "make", "makes", "making", "many", "may", "me", "mean", "means", "might", "mine", "more", "most",
      "much", "must", "my", "need", "never", "new", "no", "nor", "not", "now", "of", "off", "often", "on", "once", "one", "ones",
      "only", "or", "other", "others", "our", "ours", "out", "over", "own", "part", "people", "please", "put", "same", "say",
      "see", "she", "should", "small", "so", "some", "someone", "something", "such", "take", "than", "that", "the", "their",
      "theirs", "them", "then", "there", "these", "they", "thing", "things", "this", "those", "three", "through", "to", "too",
      "two", "under", "until", "up", "upon", "us", "use", "used", "using", "very", "want", "was", "way", "ways", "we", "well", "were",
      "what", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without",
      "work", "works", "would", "you", "your", "yours",
      // The language of instructions
      "advice", "answer", "argue", "briefly", "compare", "compose", "come", "contrast", "convince", "create", "define", "describe",
      "design", "difference", "differences", "discuss", "draft", "example", "examples", "explain", "explaining", "explanation",
      "following", "generate", "idea", "ideas", "imagine", "line", "list", "mention", "message", "name", "outline", "paragraph",
      "phrase", "plain", "provide", "question", "reason", "reasons", "recommend", "reply", "rewrite", "sentence", "sentences",
      "short", "simple", "state", "suggest", "suggestion", "summarize", "summarise", "summary", "tell", "text", "tip", "tips", "word",
      "words", "write", "writing",
  });
  std::sort(words.begin(), words.end());
  return words;
}();
// clang-format on

}  // namespace

std::string stem(std::string_view word) {
  if (word.ends_with("'s")) word.remove_suffix(2);
  std::string result(word);
  if (!is_ascii_letters(result) || result.size() < 4) return result;
  for (const Suffix& suffix : kSuffixes) {
    if (!result.ends_with(suffix.ending)) continue;
    const std::string_view rest = std::string_view(result).substr(0, result.size() - suffix.ending.size());
    if (rest.size() < suffix.least || !has_vowel(rest)) continue;
    return tidy(std::string(rest) + std::string(suffix.replacement));
  }
  if (result.ends_with("s") && !result.ends_with("ss") && !result.ends_with("us") && !result.ends_with("is"))
    result.pop_back();
  return tidy(std::move(result));
}

bool is_stop_word(std::string_view word) { return std::binary_search(kStopWords.begin(), kStopWords.end(), word); }

}  // namespace cutd
