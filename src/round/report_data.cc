#include "round/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "evaluation/guards.h"
#include "evaluation/interval.h"
#include "store/evaluations.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/units.h"

namespace cutd {
namespace {

// A model of the run with its evaluation on the gate set.
struct Judged {
  std::string name;
  EvaluationId evaluation;
};

std::vector<ReportStep> read_steps(Reader& reader, const RunSummary& summary) {
  std::vector<ReportStep> steps;
  for (const RoundSummary& round : summary.rounds) {
    for (const TrainingStep& step : list_training_steps(reader, round.id)) {
      const auto number = [&](const char* key) -> std::optional<double> {
        const auto found = step.metrics.find(key);
        return found != step.metrics.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
      };
      steps.push_back({round.number, step.step, number("loss"), number("detected_fraction")});
    }
  }
  return steps;
}

std::vector<Judged> judged_models(const RunSummary& summary) {
  std::vector<Judged> models;
  if (summary.baseline) models.push_back({"untrained", summary.baseline->evaluation});
  for (const RoundSummary& round : summary.rounds) {
    if (round.gate) models.push_back({fmt::format("round {}", round.number), round.gate->evaluation});
  }
  return models;
}

std::vector<ReportLengths> read_lengths(Reader& reader, const std::vector<Judged>& models) {
  std::vector<ReportLengths> lengths;
  for (const Judged& model : models) {
    std::vector<double> words;
    for (const Response& response : list_responses(reader, model.evaluation))
      words.push_back(mean_words({response.text}));
    if (!words.empty()) lengths.push_back(length_quantiles(model.name, std::move(words)));
  }
  return lengths;
}

// The model that the untrained one is shown beside: the kept one, or the last candidate when none was promoted.
std::optional<Judged> model_to_compare(const RunSummary& summary) {
  std::optional<Judged> kept;
  std::optional<Judged> last;
  for (const RoundSummary& round : summary.rounds) {
    if (!round.gate) continue;
    last = Judged{fmt::format("round {}", round.number), round.gate->evaluation};
    if (round.outcome == Outcome::kPromoted) kept = last;
  }
  return kept ? kept : last;
}

ReportAnswer read_answer(Reader& reader, const std::string& model, const EvaluationItem& item) {
  ReportAnswer answer;
  answer.model = model;
  answer.perfect = item.perfect;
  if (const auto response = find_response(reader, item.response)) {
    answer.response = response->text;
    answer.broken_off = response->finish_reason == "length";
  }
  for (const Judgment& judgment : list_judgments(reader, item.response)) {
    if (judgment.id == item.judgment) answer.judgment = judgment.text;
  }
  return answer;
}

std::string kind_of(bool before, bool after) {
  if (before) return after ? "perfect twice" : "worse";
  return after ? "improved" : "criticised twice";
}

// The first few of each kind, in the order of the held-out file: no picking of the nicest ones.
std::vector<ReportExample> read_examples(Reader& reader, const Judged& untrained, const Judged& other) {
  std::map<std::string, int> wanted = {{"improved", 3}, {"worse", 2}, {"criticised twice", 2}, {"perfect twice", 1}};
  std::map<InstructionId, EvaluationItem> before;
  for (const EvaluationItem& item : list_evaluation_items(reader, untrained.evaluation))
    before.emplace(item.instruction, item);
  std::vector<ReportExample> examples;
  for (const EvaluationItem& item : list_evaluation_items(reader, other.evaluation)) {
    const auto earlier = before.find(item.instruction);
    const auto instruction = find_instruction(reader, item.instruction);
    if (earlier == before.end() || !instruction) continue;
    const std::string kind = kind_of(earlier->second.perfect, item.perfect);
    if (wanted[kind]-- <= 0) continue;
    examples.push_back({instruction->text,
                        instruction->input,
                        kind,
                        {read_answer(reader, untrained.name, earlier->second), read_answer(reader, other.name, item)}});
  }
  const std::vector<std::string> order = {"improved", "worse", "criticised twice", "perfect twice"};
  std::stable_sort(examples.begin(), examples.end(), [&](const ReportExample& a, const ReportExample& b) {
    return std::find(order.begin(), order.end(), a.kind) < std::find(order.begin(), order.end(), b.kind);
  });
  return examples;
}

}  // namespace

ReportLengths length_quantiles(std::string model, std::vector<double> words) {
  std::sort(words.begin(), words.end());
  return {std::move(model),
          sorted_quantile(words, 0.05),
          sorted_quantile(words, 0.25),
          sorted_quantile(words, 0.5),
          sorted_quantile(words, 0.75),
          sorted_quantile(words, 0.95)};
}

ReportData read_report_data(Reader& reader, RunId id, const std::filesystem::path& data_dir) {
  ReportData data;
  data.summary = summarize_run(reader, id, data_dir);
  const Run run = *find_run(reader, id);
  data.frozen = frozen_run_of(run);
  data.started_at = run.created_at;
  data.steps = read_steps(reader, data.summary);
  data.lengths = read_lengths(reader, judged_models(data.summary));
  const std::optional<Judged> other = model_to_compare(data.summary);
  if (data.summary.baseline && other) {
    data.examples = read_examples(reader, {"untrained", data.summary.baseline->evaluation}, *other);
  }
  return data;
}

}  // namespace cutd
