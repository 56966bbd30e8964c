#include "evaluation/alpaca_eval.h"

#include <cmath>
#include <map>
#include <set>

#include "core/error.h"

namespace cutd {
namespace {

void require_list(const Json& list, const std::string& origin, const char* what) {
  if (!list.is_array()) throw Error(ErrorCode::kBadInput, origin + ": not " + what + ": the file must be a JSON list");
}

std::string record_name(const std::string& origin, std::size_t index) {
  return origin + ": record " + std::to_string(index);
}

Json other_members(const Json& record, const std::set<std::string>& known) {
  Json other = Json::object();
  for (const auto& [key, value] : record.items()) {
    if (!known.contains(key)) other[key] = value;
  }
  return other;
}

std::string text_or(const Json& record, const char* key, const std::string& origin) {
  return json_get_or<std::string>(record, key, "", origin);
}

Preference preference_of(const Json& record, const std::string& origin) {
  if (!record.contains("preference")) throw_json_member(origin, "preference", "is missing");
  const Json& value = record.at("preference");
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) throw_json_member(origin, "preference", "must be a number or null");
  return value.get<double>();
}

// Whole preferences as 1 and 2, the way people read them; pandas gives the same column for both.
Json preference_json(const Preference& preference) {
  if (!preference) return nullptr;
  if (*preference == std::floor(*preference)) return static_cast<std::int64_t>(*preference);
  return *preference;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

template <typename Length>
std::int64_t mean_length(const std::vector<PairAnnotation>& annotations, Length length) {
  if (annotations.empty()) return 0;
  double sum = 0;
  for (const PairAnnotation& annotation : annotations) sum += static_cast<double>(length(annotation));
  return static_cast<std::int64_t>(sum / static_cast<double>(annotations.size()));
}

// Shares by instruction; the n-th time that an instruction comes is its own key.
std::map<std::pair<std::string, int>, double> shares_by_instruction(const std::vector<PairAnnotation>& annotations) {
  std::map<std::string, int> seen;
  std::map<std::pair<std::string, int>, double> shares;
  for (const PairAnnotation& annotation : annotations) {
    const int time = seen[annotation.instruction]++;
    if (const auto share = preference_share(annotation.preference))
      shares.emplace(std::make_pair(annotation.instruction, time), *share);
  }
  return shares;
}

}  // namespace

std::vector<ModelOutput> parse_model_outputs(const Json& list, const std::string& origin) {
  require_list(list, origin, "outputs");
  std::vector<ModelOutput> outputs;
  for (const Json& record : list) {
    const std::string where = record_name(origin, outputs.size());
    outputs.push_back({json_get<std::string>(record, "instruction", where),
                       json_get<std::string>(record, "output", where), text_or(record, "generator", where),
                       other_members(record, {"instruction", "output", "generator"})});
  }
  return outputs;
}

PairAnnotation parse_annotation(const Json& record, const std::string& where) {
  PairAnnotation annotation;
  annotation.instruction = json_get<std::string>(record, "instruction", where);
  annotation.output_1 = json_get<std::string>(record, "output_1", where);
  annotation.output_2 = json_get<std::string>(record, "output_2", where);
  annotation.generator_1 = text_or(record, "generator_1", where);
  annotation.generator_2 = text_or(record, "generator_2", where);
  annotation.annotator = text_or(record, "annotator", where);
  annotation.preference = preference_of(record, where);
  annotation.other = other_members(
      record, {"instruction", "output_1", "output_2", "generator_1", "generator_2", "annotator", "preference"});
  return annotation;
}

std::vector<PairAnnotation> parse_annotations(const Json& list, const std::string& origin) {
  require_list(list, origin, "annotations");
  std::vector<PairAnnotation> annotations;
  for (const Json& record : list)
    annotations.push_back(parse_annotation(record, record_name(origin, annotations.size())));
  return annotations;
}

Json model_outputs_json(const std::vector<ModelOutput>& outputs) {
  Json list = Json::array();
  for (const ModelOutput& output : outputs) {
    Json record = {{"instruction", output.instruction}, {"output", output.output}, {"generator", output.generator}};
    for (const auto& [key, value] : output.other.items()) record[key] = value;
    list.push_back(std::move(record));
  }
  return list;
}

Json annotation_json(const PairAnnotation& annotation) {
  Json record = {{"instruction", annotation.instruction},
                 {"output_1", annotation.output_1},
                 {"generator_1", annotation.generator_1},
                 {"output_2", annotation.output_2},
                 {"generator_2", annotation.generator_2},
                 {"annotator", annotation.annotator},
                 {"preference", preference_json(annotation.preference)}};
  for (const auto& [key, value] : annotation.other.items()) record[key] = value;
  return record;
}

Json annotations_json(const std::vector<PairAnnotation>& annotations) {
  Json list = Json::array();
  for (const PairAnnotation& annotation : annotations) list.push_back(annotation_json(annotation));
  return list;
}

std::vector<ModelOutput> read_model_outputs(const std::filesystem::path& path) {
  return parse_model_outputs(read_json_file(path), path.string());
}

std::vector<PairAnnotation> read_annotations(const std::filesystem::path& path) {
  return parse_annotations(read_json_file(path), path.string());
}

PairwiseScore score_annotations(const std::vector<PairAnnotation>& annotations) {
  std::vector<Preference> preferences;
  std::vector<LengthPair> lengths;
  for (const PairAnnotation& annotation : annotations) {
    preferences.push_back(annotation.preference);
    lengths.push_back({annotation.preference, code_points(annotation.output_1), code_points(annotation.output_2)});
  }
  PairwiseScore score;
  score.figures = compute_win_rate(preferences);
  score.missing = static_cast<std::int64_t>(annotations.size()) - score.figures.n_total;
  score.average_length = mean_length(annotations, [](const auto& pair) { return code_points(pair.output_2); });
  score.average_length_1 = mean_length(annotations, [](const auto& pair) { return code_points(pair.output_1); });
  score.length_adjusted = adjust_for_length(lengths);
  return score;
}

Json pairwise_score_json(const PairwiseScore& score) {
  const WinRate& figures = score.figures;
  Json json = {{"win_rate", number_or_null(figures.win_rate)},
               {"standard_error", number_or_null(figures.standard_error)},
               {"n_wins", figures.n_wins},
               {"n_wins_base", figures.n_wins_base},
               {"n_draws", figures.n_draws},
               {"n_total", figures.n_total},
               {"discrete_win_rate", number_or_null(figures.discrete_win_rate)},
               {"avg_length", score.average_length},
               {"n_missing", score.missing},
               {"avg_length_base", score.average_length_1},
               {"length_adjusted_win_rate", nullptr}};
  if (score.length_adjusted) {
    json["length_adjusted_win_rate"] = score.length_adjusted->win_rate;
    json["length_adjustment"] = {{"constant", score.length_adjusted->constant},
                                 {"length_weight", score.length_adjusted->length_weight},
                                 {"length_scale", score.length_adjusted->length_scale}};
  }
  return json;
}

AnnotationDifference compare_annotations(const std::vector<PairAnnotation>& parent,
                                         const std::vector<PairAnnotation>& candidate, std::int64_t resamples,
                                         std::int64_t seed) {
  const auto before = shares_by_instruction(parent);
  std::vector<double> parent_shares;
  std::vector<double> candidate_shares;
  for (const auto& [key, share] : shares_by_instruction(candidate)) {
    const auto found = before.find(key);
    if (found == before.end()) continue;
    parent_shares.push_back(found->second * 100);
    candidate_shares.push_back(share * 100);
  }
  if (parent_shares.empty())
    throw Error(ErrorCode::kBadInput, "the two annotation files share no instruction that both judged");
  return {paired_bootstrap(parent_shares, candidate_shares, resamples, seed),
          static_cast<std::int64_t>(parent_shares.size())};
}

}  // namespace cutd
