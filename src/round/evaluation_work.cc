#include "round/evaluation_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/fault.h"
#include "round/generation_work.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/units.h"

namespace cutd {
namespace {

constexpr std::size_t kScoreUnit = 64;  // responses scored and stored together

Evaluation require_evaluation(Reader& reader, const EvaluationKey& key) {
  const std::optional<Evaluation> evaluation = find_evaluation(reader, key);
  if (!evaluation) throw Error(ErrorCode::kInternal, "an evaluation was not planned");
  return *evaluation;
}

std::vector<Instruction> held_out_instructions(Reader& reader, const FrozenRun& frozen, Split split) {
  std::vector<Instruction> instructions;
  for (const InstructionId id : split == Split::kGate ? frozen.gate : frozen.report) {
    const std::optional<Instruction> instruction = find_instruction(reader, id);
    if (!instruction)
      throw Error(ErrorCode::kInternal, "held-out instruction " + std::to_string(id.value) + " is gone");
    instructions.push_back(*instruction);
  }
  return instructions;
}

struct JudgedResponses {
  std::vector<Response> responses;
  std::map<ResponseId, Judgment> judgments;  // of those that have one
};

JudgedResponses read_judged(Reader& reader, const Evaluation& evaluation) {
  JudgedResponses judged;
  judged.responses = list_responses(reader, evaluation.id);
  for (const Judgment& judgment : list_judgments(reader, evaluation.id, evaluation.key.annotator)) {
    if (judgment.state == JudgmentState::kDone && judgment.validated)
      judged.judgments.emplace(judgment.response, judgment);
  }
  return judged;
}

EvaluationSummary summarize(const JudgedResponses& judged) {
  EvaluationSummary summary;
  std::vector<std::string> texts;
  std::int64_t perfect = 0;
  std::int64_t ended = 0;
  double logprob_sum = 0;
  std::size_t tokens = 0;
  for (const Response& response : judged.responses) {
    texts.push_back(response.text);
    const auto judgment = judged.judgments.find(response.id);
    if (judgment == judged.judgments.end()) ++summary.missing;
    else if (judgment->second.label == JudgmentLabel::kPositive) ++perfect;
    if (response.finish_reason == "stop") ++ended;
    logprob_sum += response.base_logprob_sum.value_or(0);
    tokens += response.ids.size();
  }
  const auto count = static_cast<std::int64_t>(judged.responses.size());
  summary.share = wilson_share(perfect, count - summary.missing);
  summary.guards = {mean_words(texts), distinct_2(texts),
                    tokens == 0 ? 0 : std::exp(-logprob_sum / static_cast<double>(tokens))};
  summary.ended = count == 0 ? 0 : static_cast<double>(ended) / static_cast<double>(count);
  return summary;
}

std::map<InstructionId, double> perfect_by_instruction(Reader& reader, EvaluationId evaluation) {
  std::map<InstructionId, double> perfect;
  for (const EvaluationItem& item : list_evaluation_items(reader, evaluation))
    perfect[item.instruction] = item.perfect ? 1 : 0;
  return perfect;
}

// Two evaluations of one set may have been generated in different orders, by runs whose files list it differently;
// pairs are of one instruction, and only where both answers to it have a judgment.
struct Pairs {
  std::vector<double> before, after;
};
Pairs pairs_of(Reader& reader, EvaluationId before, EvaluationId after) {
  const std::map<InstructionId, double> other = perfect_by_instruction(reader, after);
  Pairs pairs;
  for (const auto& [instruction, value] : perfect_by_instruction(reader, before)) {
    const auto found = other.find(instruction);
    if (found == other.end()) continue;
    pairs.before.push_back(value);
    pairs.after.push_back(found->second);
  }
  return pairs;
}

}  // namespace

EvaluationTarget evaluation_target(const FrozenRun& frozen, const ModelReference& model, Split split) {
  const std::string& set = split == Split::kGate ? frozen.gate_hash : frozen.report_hash;
  return {model, split, {model.hash, set, frozen.annotator, decoding_hash(frozen)}};
}

Json evaluation_summary_json(const EvaluationSummary& summary) {
  return Json{{"score", summary.share.value},
              {"interval", {summary.share.interval.low, summary.share.interval.high}},
              {"perfect", summary.share.successes},
              {"count", summary.share.count},
              {"mean_words", summary.guards.mean_words},
              {"distinct_2", summary.guards.distinct_2},
              {"perplexity", summary.guards.perplexity},
              {"ended", summary.ended},
              {"missing", summary.missing}};
}

EvaluationSummary evaluation_summary_of(const Json& json) {
  const std::string origin = "evaluation";
  EvaluationSummary summary;
  summary.share =
      wilson_share(json_get<std::int64_t>(json, "perfect", origin), json_get<std::int64_t>(json, "count", origin));
  summary.guards = {json_get<double>(json, "mean_words", origin), json_get<double>(json, "distinct_2", origin),
                    json_get<double>(json, "perplexity", origin)};
  summary.ended = json_get<double>(json, "ended", origin);
  summary.missing = json_get_or<std::int64_t>(json, "missing", 0, origin);  // earlier versions: none could be
  return summary;
}

EvaluationFacts read_evaluation_facts(Reader& reader, const EvaluationKey& key) {
  EvaluationFacts facts;
  const std::optional<Evaluation> evaluation = find_evaluation(reader, key);
  if (!evaluation) return facts;
  facts.done = evaluation->state == EvaluationState::kDone;
  facts.planned = facts.done || !list_units(reader, evaluation->id).empty();
  if (facts.done) return facts;
  const std::vector<Unit> open = list_open_units(reader, evaluation->id);
  if (!open.empty()) facts.open_unit = open.front().id;
  const JudgmentCounts counts = count_judgments(reader, evaluation->id, key.annotator);
  facts.judgments_pending = counts.pending;
  facts.judgments_done = counts.done;
  facts.judgments_failed = counts.failed;
  facts.judgment_failure = counts.failure;
  if (facts.open_unit) return facts;
  for (const Response& response : list_responses(reader, evaluation->id)) {
    if (!response.base_logprob_sum) ++facts.responses_unscored;
  }
  return facts;
}

std::optional<Comparison> compare_evaluations(Reader& reader, const FrozenRun& frozen, const EvaluationKey& untrained,
                                              const EvaluationKey& parent, const EvaluationKey& candidate) {
  const auto base = find_evaluation(reader, untrained);
  const auto before = find_evaluation(reader, parent);
  const auto after = find_evaluation(reader, candidate);
  for (const auto& evaluation : {base, before, after}) {
    if (!evaluation || evaluation->state != EvaluationState::kDone) return std::nullopt;
  }
  const EvaluationConfig& config = frozen.config.evaluation;
  const Pairs pairs = pairs_of(reader, before->id, after->id);
  if (pairs.before.empty()) return std::nullopt;
  Comparison comparison;
  comparison.difference =
      paired_bootstrap(pairs.before, pairs.after, config.bootstrap_resamples, config.bootstrap_seed);
  comparison.guards = check_guards(evaluation_summary_of(base->summary).guards,
                                   evaluation_summary_of(after->summary).guards, config.guards);
  comparison.verdict = decide_promotion(comparison.difference, comparison.guards, config.margin);
  if (const std::size_t missing = frozen.gate.size() - std::min(pairs.before.size(), frozen.gate.size()); missing > 0) {
    comparison.verdict.reason +=
        fmt::format("; {} of {} pairs are left out, a judgment of theirs is missing", missing, frozen.gate.size());
  }
  return comparison;
}

void plan_evaluation(WorkContext& context, const EvaluationTarget& target) {
  const std::vector<Instruction> instructions =
      context.store.read([&](Reader& reader) { return held_out_instructions(reader, context.frozen, target.split); });
  const std::vector<NewUnit> units =
      make_units(instructions, 1, context.frozen.config.generation, context.text, "evaluation");
  context.store.write([&](Writer& writer) {
    const EvaluationId evaluation = ensure_evaluation(writer, target.key, target.split);
    if (list_units(writer, evaluation).empty()) plan_units(writer, evaluation, target.split, units);
  });
}

void score_evaluation(WorkContext& context, const EvaluationTarget& target, const std::string& activity) {
  const auto [all, prompts] = context.store.read([&](Reader& reader) {
    const Evaluation evaluation = require_evaluation(reader, target.key);
    std::map<SampleId, std::vector<std::int64_t>> prompt_of;
    for (const Unit& unit : list_units(reader, evaluation.id)) {
      for (Sample& sample : list_samples(reader, unit.id)) prompt_of.emplace(sample.id, std::move(sample.prompt_ids));
    }
    return std::pair(list_responses(reader, evaluation.id), prompt_of);
  });
  ScoreRequest request;
  request.model = target.model.spec;
  request.model.adapter_dir.clear();  // the original model
  std::vector<ResponseId> scored;
  for (const Response& response : all) {
    if (response.base_logprob_sum || scored.size() == kScoreUnit) continue;
    ScoreItem item{prompts.at(response.sample), static_cast<std::int64_t>(prompts.at(response.sample).size())};
    item.ids.insert(item.ids.end(), response.ids.begin(), response.ids.end());
    request.items.push_back(std::move(item));
    scored.push_back(response.id);
  }
  ProgressSnapshot now = context.activity;
  now.activity = activity;
  now.total = static_cast<std::int64_t>(request.items.size());
  context.board.begin(now);
  const std::vector<std::vector<double>> logprobs =
      context.engine.score(request, context.stop, [&context](const EngineProgress& progress) {
        context.board.advance(progress.done, progress.tokens_per_second, "under the untrained model");
      });
  if (logprobs.size() != scored.size())
    throw Error(ErrorCode::kBadInput, "the engine scored another number of responses than asked");
  std::vector<BaseLogprob> rows;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const double sum = std::accumulate(logprobs[i].begin(), logprobs[i].end(), 0.0);
    if (!std::isfinite(sum))
      throw Error(ErrorCode::kBadInput, "the engine sent a log-probability that is not a number");
    rows.push_back({scored[i], sum});
  }
  fault::point("evaluate.before_score_commit");
  context.store.write([&](Writer& writer) { record_base_logprobs(writer, rows); });
}

void finish_evaluation(WorkContext& context, const EvaluationTarget& target) {
  const auto [evaluation, judged] = context.store.read([&](Reader& reader) {
    const Evaluation found = require_evaluation(reader, target.key);
    return std::pair(found, read_judged(reader, found));
  });
  std::vector<EvaluationItem> items;
  for (const Response& response : judged.responses) {
    const auto found = judged.judgments.find(response.id);
    if (found == judged.judgments.end()) continue;  // missing, which is no label
    const Judgment& judgment = found->second;
    const bool perfect = judgment.label == JudgmentLabel::kPositive;
    const Json measures{{"tokens", response.ids.size()},
                        {"ended", response.finish_reason == "stop"},
                        {"base_logprob_sum", response.base_logprob_sum.value_or(0)}};
    items.push_back({response.instruction, response.id, judgment.id, perfect, measures});
  }
  const Json summary = evaluation_summary_json(summarize(judged));
  fault::point("evaluate.before_finish");
  context.store.write([&, id = evaluation.id](Writer& writer) { finish_evaluation(writer, id, items, summary); });
  fault::point("evaluate.after_finish");
}

}  // namespace cutd
