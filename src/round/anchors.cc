#include "round/anchors.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/hash.h"
#include "core/random.h"
#include "round/sample_verdicts.h"
#include "store/evaluations.h"
#include "store/judgments.h"
#include "store/units.h"

namespace cutd {
namespace {

constexpr const char* kAnchors = "anchors";  // stands for a model, a set and a decoding

// What the parent's evaluation rests on, by response; it is done and never changes, so that a place in it is kept as a
// sample's number.
std::vector<EvaluationItem> parent_items(Reader& reader, const EvaluationKey& parent) {
  const auto evaluation = find_evaluation(reader, parent);
  return evaluation ? list_evaluation_items(reader, evaluation->id) : std::vector<EvaluationItem>{};
}

bool people_judge(const FrozenRun& frozen) {
  return std::any_of(frozen.config.annotators.begin(), frozen.config.annotators.end(),
                     [](const AnnotatorConfig& annotator) { return annotator.kind == "human"; });
}

}  // namespace

EvaluationKey anchor_key(const FrozenRun& frozen, const Round& round) {
  const std::string name = fmt::format("anchors of round {} of run {}", round.number, round.run.value);
  return {sha256_hex(name), sha256_hex(kAnchors), frozen.annotator, sha256_hex(kAnchors)};
}

CanaryFacts read_anchor_facts(Reader& reader, const FrozenRun& frozen, const Round& round, const EvaluationKey& parent,
                              const Comparison& comparison) {
  CanaryFacts facts;
  const AlarmConfig& alarms = frozen.config.alarms;
  if (alarms.anchors == 0 || people_judge(frozen) || !comparison.verdict.promote) return facts;
  if (!(comparison.difference.interval.low > alarms.limits.anchor_rise)) return facts;
  const auto judged = static_cast<std::int64_t>(parent_items(reader, parent).size());
  facts.wanted = judged >= alarms.limits.min_judgments;
  if (!facts.wanted) return facts;
  const auto evaluation = find_evaluation(reader, anchor_key(frozen, round));
  facts.planned = evaluation.has_value();
  if (evaluation) facts.judgments_pending = count_judgments(reader, evaluation->id, frozen.annotator).pending;
  return facts;
}

std::vector<CanaryAnswer> read_anchor_answers(Reader& reader, const FrozenRun& frozen, const Round& round,
                                              const EvaluationKey& parent) {
  const auto evaluation = find_evaluation(reader, anchor_key(frozen, round));
  if (!evaluation) return {};
  const std::map<SampleId, bool> verdicts = sample_verdicts(reader, evaluation->id, frozen.annotator);
  const std::vector<EvaluationItem> items = parent_items(reader, parent);
  std::vector<CanaryAnswer> answers;
  for (const Unit& unit : list_units(reader, evaluation->id)) {
    for (const Sample& sample : list_samples(reader, unit.id)) {
      CanaryAnswer answer{items.at(static_cast<std::size_t>(sample.number)).perfect, false, std::nullopt};
      const auto found = verdicts.find(sample.id);
      if (found != verdicts.end()) answer.judged = found->second;
      answers.push_back(answer);
    }
  }
  return answers;
}

void plan_anchors(WorkContext& context, const Round& round, const EvaluationKey& parent) {
  const auto count = static_cast<std::size_t>(context.frozen.config.alarms.anchors);
  const std::int64_t seed =
      derive_seed(context.frozen.config.limits.seed, "anchors of round " + std::to_string(round.number));
  context.store.write([&](Writer& writer) {
    const EvaluationId evaluation = ensure_evaluation(writer, anchor_key(context.frozen, round), Split::kGate);
    if (!list_units(writer, evaluation).empty()) return;
    const std::vector<EvaluationItem> items = parent_items(writer, parent);
    std::vector<bool> perfect;
    perfect.reserve(items.size());
    for (const EvaluationItem& item : items) perfect.push_back(item.perfect);
    NewUnit samples;
    std::vector<NewResponse> responses;
    for (const std::size_t place : choose_anchors(perfect, count, seed)) {
      const Response said = find_response(writer, items[place].response).value();
      samples.push_back({said.instruction, static_cast<std::int64_t>(place), said.seed, {}});
      responses.push_back({said.ids, said.text, said.finish_reason, said.model_hash, said.template_version, 0});
    }
    const std::vector<UnitId> units = plan_units(writer, evaluation, Split::kGate, {&samples, 1});
    commit_unit(writer, units.front(), responses);
    request_judgments(writer, evaluation, context.frozen.annotator);
  });
}

}  // namespace cutd
