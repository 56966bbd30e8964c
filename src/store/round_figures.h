// The funnel of one round and the lengths of its responses.
#pragma once

#include <cstdint>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

// `count` responses with `from` to `to` words, both included.
struct WordBin {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t count = 0;
};

struct RoundFigures {
  std::int64_t instructions = 0;
  std::int64_t planned = 0;    // samples
  std::int64_t generated = 0;  // responses
  std::int64_t judged = 0;     // responses with a validated judgment
  std::int64_t failed = 0;     // responses whose judgments all failed
  std::int64_t positives = 0;  // responses with a positive judgment
  std::int64_t negatives = 0;
  std::int64_t trained = 0;  // rows of the manifest
  std::int64_t stopped = 0;  // responses that the model ended by itself
  std::int64_t cut_off = 0;
  std::vector<WordBin> words;  // of equal width, without gaps, from the shortest response's on
};

RoundFigures read_round_figures(Reader& reader, RoundId round);

// At most `bins` of them over the given lengths.
std::vector<WordBin> word_bins(const std::vector<std::int64_t>& lengths, std::int64_t bins = 24);

// Runs of letters between spaces, as people count them.
std::int64_t count_words(std::string_view text);

// The judgments of an owner by one annotator, from the kept counts.
struct LabelCounts {
  std::int64_t judgments = 0;
  std::int64_t failed = 0;
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
};
LabelCounts count_labels(Reader& reader, RoundId round, AnnotatorId annotator);

}  // namespace cutd
