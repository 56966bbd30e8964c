#include "judge_client/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> texts(std::string_view text) {
  std::vector<std::string> result;
  for (const Word& word : split_words(text)) result.emplace_back(word.text);
  return result;
}

std::vector<std::size_t> sentence_ends(std::string_view text) {
  const std::vector<Word> words = split_words(text);
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (ends_sentence(words, i)) ends.push_back(i);
  }
  return ends;
}

TEST(WordsTest, SplitsAtAnyWhiteSpace) {
  EXPECT_THAT(texts("a  b\tc\n\nd\u00A0e"), ElementsAre("a", "b", "c", "d", "e"));
}

TEST(WordsTest, HasNoWordsInBlankText) {
  EXPECT_THAT(texts(""), IsEmpty());
  EXPECT_THAT(texts(" \n\t "), IsEmpty());
}

TEST(WordsTest, CountsEveryIdeographAsAWordAndKeepsPunctuationWithIt) {
  EXPECT_THAT(texts("猫は好き。"), ElementsAre("猫", "は", "好", "き。"));
  EXPECT_THAT(texts("我爱 tea"), ElementsAre("我", "爱", "tea"));
}

TEST(WordsTest, RemembersWhereAWordStands) {
  const std::string text = "  one two";
  const std::vector<Word> words = split_words(text);
  EXPECT_EQ(words[1].begin, 6u);
  EXPECT_EQ(words[1].end, 9u);
  EXPECT_EQ(words_text(text, words, 0, 5), "one two");
  EXPECT_EQ(words_text(text, words, 7, 1), "");
}

TEST(WordsTest, FoldsLatinGreekAndCyrillicCapitals) {
  EXPECT_EQ(fold("ÄPFEL Ščuka ΑΒΓ ДОМ"), "äpfel ščuka αβγ дом");
  EXPECT_EQ(fold("I’m"), "i'm");
}

TEST(WordsTest, StripsPunctuationAroundAWordOnly) {
  EXPECT_EQ(bare_word("(\"Don’t!\")"), "don't");
  EXPECT_EQ(bare_word("U.S."), "u.s");
  EXPECT_EQ(bare_word("—"), "");
  EXPECT_EQ(bare_word("**bold**"), "bold");
}

TEST(WordsTest, SeesTheEndOfASentence) {
  EXPECT_THAT(sentence_ends("It rains. We stay (at home.) \"Why?\" he asks!"), ElementsAre(1, 5, 8));
}

TEST(WordsTest, DoesNotEndASentenceAtAbbreviationsAndInitials) {
  EXPECT_THAT(sentence_ends("Ask Dr. Jones, e.g. Today, or J. Smith."), ElementsAre(7));
}

TEST(WordsTest, DoesNotEndASentenceBeforeASmallLetter) { EXPECT_THAT(sentence_ends("Version 2.0. of it"), IsEmpty()); }

TEST(WordsTest, EndsSentencesInOtherScripts) {
  EXPECT_THAT(sentence_ends("猫。"), ElementsAre(0));
  EXPECT_THAT(sentence_ends("यह है।"), ElementsAre(1));
}

TEST(WordsTest, TellsUtf8FromOtherBytes) {
  EXPECT_TRUE(is_valid_utf8("naïve 猫 \xEF\xBF\xBD"));
  EXPECT_FALSE(is_valid_utf8("\xff"));
  EXPECT_FALSE(is_valid_utf8("\xc0\xaf"));      // overlong
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));  // surrogate
  EXPECT_FALSE(is_valid_utf8("cut \xe7\x8c"));  // cut inside a character
}

TEST(WordsTest, ReadsAnyBytesWithoutFault) {
  std::string bytes;
  for (int i = 0; i < 2048; ++i) bytes += static_cast<char>((i * 37 + i / 7) % 256);
  for (std::size_t start = 0; start < 64; ++start) {
    const std::string_view part = std::string_view(bytes).substr(start);
    for (const Word& word : split_words(part)) EXPECT_FALSE(word.text.empty());
    fold(part);
    bare_word(part);
  }
}

}  // namespace
}  // namespace cutd
