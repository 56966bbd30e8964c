// The written guideline of the rule annotator: what a strict editor asks of a response. It is data: a
// section of an annotator's configuration, printed as prose for people, identified by its hash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace cutd {

struct Guideline {
  std::int64_t min_words = 8;
  std::int64_t max_words = 40;
  std::vector<std::string> forbidden_openings = {"sure",
                                                 "certainly",
                                                 "of course",
                                                 "absolutely",
                                                 "definitely",
                                                 "okay",
                                                 "ok",
                                                 "great question",
                                                 "good question",
                                                 "no problem",
                                                 "you're welcome",
                                                 "thank you for",
                                                 "hello",
                                                 "hi",
                                                 "hey",
                                                 "here is",
                                                 "here's",
                                                 "here are",
                                                 "below is",
                                                 "below are",
                                                 "the following",
                                                 "let's",
                                                 "to answer your question",
                                                 "i'd be happy",
                                                 "i'd be glad",
                                                 "i would be happy",
                                                 "i'm happy to",
                                                 "i'm glad",
                                                 "i can help",
                                                 "as requested"};
  std::vector<std::string> self_talk = {"as an ai",          "i am an ai",    "i'm an ai",       "as a language model",
                                        "ai language model", "ai assistant",  "i'm sorry",       "i am sorry",
                                        "i apologize",       "i cannot",      "i can't",         "i don't have",
                                        "i do not have",     "i hope this",   "hope this helps", "let me know",
                                        "feel free to",      "happy to help", "here to help",    "if you have any",
                                        "my response",       "my answer",     "my knowledge",    "my training"};
  bool forbid_lists = true;
  bool forbid_markup = true;
  bool forbid_line_breaks = true;
  bool require_complete_end = true;   // ends by itself, with a complete sentence
  std::int64_t repeated_words = 5;    // this many words in a row must not come twice (0: allowed)
  std::int64_t repeated_pieces = 5;   // the same piece of text this often in a row (0: allowed)
  bool require_subject = true;        // mentions a content word of the instruction
  std::int64_t max_defects = 3;       // most defects named in one judgment
  std::int64_t max_quoted_words = 6;  // most words quoted for one defect
};

// Declares every key under `section` ("guideline").
void declare_guideline_options(OptionTable& table, Guideline& guideline, const std::string& section);

// Throws Error(kUsage) naming `origin` when keys contradict each other (min_words above max_words).
void check_guideline(const Guideline& guideline, const std::string& origin);

// First 16 hex digits of the SHA-256 of the guideline's JSON and of the checks' own version: judgments
// and evaluations of different versions are never mixed.
std::string guideline_version(const Guideline& guideline);

// The guideline as a paragraph a human editor could work by.
std::string guideline_prose(const Guideline& guideline);

}  // namespace cutd
