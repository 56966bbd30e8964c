// Reduces an English word to a stem, so that "volcanoes" speaks of a "volcano" and "cooking" of "cook".
// A light suffix stripper after Porter (1980): good enough to see whether a subject is mentioned.
// Words of other scripts come back unchanged.
#pragma once

#include <string>
#include <string_view>

namespace cutd {

// `word` is folded and bare (words.h).
std::string stem(std::string_view word);

// Words that say nothing about the subject: articles, pronouns, auxiliaries, and the verbs and nouns in
// which instructions are phrased ("write", "explain", "paragraph").
bool is_stop_word(std::string_view word);

}  // namespace cutd
