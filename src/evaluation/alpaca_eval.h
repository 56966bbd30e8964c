// AlpacaEval's two file formats as values: outputs of a model, and annotations of pairs. Fields that are not known here
// are kept and written again, so that a file survives a round trip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "evaluation/interval.h"
#include "evaluation/length_adjustment.h"
#include "evaluation/win_rate.h"

namespace cutd {

struct ModelOutput {
  std::string instruction;
  std::string output;
  std::string generator;  // the model's name
  Json other;             // "dataset", "datasplit", … in their order
};

struct PairAnnotation {
  std::string instruction;
  std::string output_1;  // the reference's
  std::string output_2;  // the model's
  std::string generator_1;
  std::string generator_2;
  std::string annotator;
  Preference preference;
  Json other;  // "dataset", "price_per_example", "raw_completion", …
};

// One annotation. Error(kBadInput) naming `where` and the key.
PairAnnotation parse_annotation(const Json& record, const std::string& where);

// A JSON list of objects. Error(kBadInput) naming `origin`, the record (from 0) and the key.
std::vector<ModelOutput> parse_model_outputs(const Json& list, const std::string& origin);
std::vector<PairAnnotation> parse_annotations(const Json& list, const std::string& origin);

Json model_outputs_json(const std::vector<ModelOutput>& outputs);
Json annotation_json(const PairAnnotation& annotation);
Json annotations_json(const std::vector<PairAnnotation>& annotations);

// A whole JSON list as the tools write it, with an indent of two.
std::vector<ModelOutput> read_model_outputs(const std::filesystem::path& path);
std::vector<PairAnnotation> read_annotations(const std::filesystem::path& path);

struct PairwiseScore {
  WinRate figures;
  std::int64_t missing = 0;         // annotations without a valid preference
  std::int64_t average_length = 0;  // of output_2 in code points, cut to a whole number
  std::int64_t average_length_1 = 0;
  std::optional<LengthAdjustment> length_adjusted;
};

PairwiseScore score_annotations(const std::vector<PairAnnotation>& annotations);

// `score` with AlpacaEval's keys first, then "n_missing", "avg_length_base" and "length_adjusted_win_rate" with its
// weights, which are ours. What is not a number is null.
Json pairwise_score_json(const PairwiseScore& score);

// Mean of candidate - parent over the instructions that both judged validly, in percent points, with its 95 % bootstrap
// interval (evaluation/interval.h). Error(kBadInput) when they share none.
struct AnnotationDifference {
  PairedDifference points;
  std::int64_t pairs = 0;
};
AnnotationDifference compare_annotations(const std::vector<PairAnnotation>& parent,
                                         const std::vector<PairAnnotation>& candidate, std::int64_t resamples,
                                         std::int64_t seed);

}  // namespace cutd
