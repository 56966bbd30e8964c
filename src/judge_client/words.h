// Text as the rule annotator sees it: words with their place in the original, folded for comparison,
// and the ends of sentences. UTF-8 throughout; a byte that is not UTF-8 counts as one character.
// Pure functions; what they return points into the text given, which must outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cutd {

// A word is a run of characters between white space. Scripts written without spaces (Chinese,
// Japanese) count one word per character, so that length limits mean something there as well.
struct Word {
  std::string_view text;  // as written, punctuation included
  std::size_t begin = 0;  // byte range in the original
  std::size_t end = 0;
};

std::vector<Word> split_words(std::string_view text);

// Lower case (Latin, Greek, Cyrillic) with straight apostrophes: for comparison, not for display.
std::string fold(std::string_view text);

// The folded word without punctuation around it; empty when there is nothing else.
std::string bare_word(std::string_view word);

// words[i] ends a sentence: a final '.', '!', '?' or '…' (full-width ones too), closing quotes and
// brackets after it allowed, that is neither an abbreviation nor an initial, and is followed by the
// end or by something that can begin a sentence.
bool ends_sentence(const std::vector<Word>& words, std::size_t i);

// The words [first, first + count) as they stand in `text`, blanks between them included.
std::string_view words_text(std::string_view text, const std::vector<Word>& words, std::size_t first,
                            std::size_t count);

bool is_valid_utf8(std::string_view text);

// The character that starts at `position` (U+FFFD for a bad byte), which moves behind it.
char32_t next_character(std::string_view text, std::size_t& position);

// Letters and digits of any script.
bool is_word_character(char32_t character);

}  // namespace cutd
