#include "round/run_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "evaluation/stop_rule.h"
#include "round/read_snapshot.h"
#include "store/adapters.h"
#include "store/judgments.h"
#include "store/round_figures.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/units.h"

namespace cutd {
namespace {

std::optional<ScoreSummary> read_score(Reader& reader, const EvaluationKey& key) {
  const std::optional<Evaluation> evaluation = find_evaluation(reader, key);
  if (!evaluation || evaluation->state != EvaluationState::kDone) return std::nullopt;
  const EvaluationSummary summary = evaluation_summary_of(evaluation->summary);
  return ScoreSummary{evaluation->id, summary.share, summary.guards, summary.ended, summary.missing};
}

void read_training(Reader& reader, RoundSummary& summary) {
  double detected = 0;
  std::int64_t with_detection = 0;
  for (const TrainingStep& step : list_training_steps(reader, summary.id)) {
    ++summary.training_steps;
    const auto number = [&](const char* key) -> std::optional<double> {
      const auto found = step.metrics.find(key);
      if (found == step.metrics.end() || !found->is_number()) return std::nullopt;
      return found->get<double>();
    };
    if (!summary.first_loss) summary.first_loss = number("loss");
    if (const auto loss = number("loss")) summary.last_loss = loss;
    if (const auto fraction = number("detected_fraction")) {
      detected += *fraction;
      ++with_detection;
    }
  }
  if (with_detection > 0) summary.detected_fraction = detected / static_cast<double>(with_detection);
}

void read_judgment_counts(Reader& reader, AnnotatorId annotator, RoundSummary& summary) {
  const LabelCounts counts = count_labels(reader, summary.id, annotator);
  summary.responses = counts.judgments;
  summary.judgments_failed = counts.failed;
  summary.positives = counts.positives;
  summary.negatives = counts.negatives;
}

RoundSummary summarize_round(Reader& reader, const FrozenRun& frozen, const Round& round,
                             const std::filesystem::path& data_dir) {
  RoundSummary summary;
  summary.id = round.id;
  summary.number = round.number;
  summary.phase = round.phase;
  summary.outcome = round.outcome;
  const std::vector<RoundEvent> events = list_round_events(reader, round.id);
  if (!events.empty()) summary.reason = events.back().why;
  read_judgment_counts(reader, frozen.annotator, summary);
  read_training(reader, summary);
  if (const auto manifest = find_manifest(reader, round.id))
    summary.training_examples = manifest->positives + manifest->negatives;
  if (const auto adapter = find_adapter(reader, round.id, AdapterKind::kCumulative)) {
    summary.adapter = std::filesystem::absolute(data_dir / adapter->path).lexically_normal().string();
    summary.adapter_hash = adapter->hash;
    if (adapter->state != AdapterState::kVerified) return summary;  // its scores cannot be looked up by model
  }
  const RoundModels models = read_round_models(reader, frozen, round, data_dir.string());
  summary.gate_parent = read_score(reader, models.parent.key);
  if (!models.candidate) return summary;
  summary.gate = read_score(reader, models.candidate->key);
  if (const auto comparison =
          compare_evaluations(reader, frozen, models.untrained.key, models.parent.key, models.candidate->key)) {
    summary.difference = comparison->difference;
    summary.guard_results = comparison->guards;
  }
  return summary;
}

// Which stop rule ended it; null while it goes on and when it ended otherwise.
Json ended_by(const RunSummary& summary) {
  const std::string cause = summary.state == RunState::kCompleted ? stop_cause(summary.reason) : "";
  return cause.empty() ? Json() : Json(cause);
}

std::optional<StartSummary> read_start(Reader& reader, std::optional<AdapterId> start) {
  if (!start) return std::nullopt;
  const Adapter adapter = find_adapter(reader, *start).value();
  const Round round = find_round(reader, adapter.round).value();
  return StartSummary{adapter.id, round.run, round.number, adapter.hash};
}

Json start_json(const std::optional<StartSummary>& start) {
  if (!start) return nullptr;
  return {{"adapter", start->adapter.value},
          {"run", start->run.value},
          {"round", start->round_number},
          {"hash", start->hash}};
}

Json interval_json(const Interval& interval) { return Json::array({interval.low, interval.high}); }

// {"score", "interval", …}; null when there is no score yet.
Json score_json(const std::optional<ScoreSummary>& score) {
  if (!score) return nullptr;
  return Json{{"score", score->share.value},
              {"interval", interval_json(score->share.interval)},
              {"count", score->share.count},
              {"mean_words", score->guards.mean_words},
              {"distinct_2", score->guards.distinct_2},
              {"perplexity", score->guards.perplexity},
              {"ended", score->ended},
              {"missing", score->missing}};
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

std::string start_words(const StartSummary& start) {
  return fmt::format("adapter {} (round {} of run {})", start.adapter.value, start.round_number, start.run.value);
}

Json round_summary_json(const RoundSummary& round) {
  Json json = {{"id", round.id.value}, {"number", round.number}, {"phase", name_of(round.phase)}};
  json["outcome"] = round.outcome ? Json(name_of(*round.outcome)) : Json();
  json["promoted"] = round.outcome == Outcome::kPromoted;
  json["reason"] = round.reason;
  json["score"] = round.gate ? Json(round.gate->share.value) : Json();
  json["interval"] = round.gate ? interval_json(round.gate->share.interval) : Json();
  json["adapter"] = or_null(round.adapter);
  json["adapter_hash"] = or_null(round.adapter_hash);
  json["difference"] = round.difference ? Json{{"value", round.difference->value},
                                               {"interval", interval_json(round.difference->interval)}}
                                        : Json();
  json["gate"] = score_json(round.gate);
  json["gate_parent"] = score_json(round.gate_parent);
  json["guards"] = Json::array();
  for (const GuardResult& guard : round.guard_results) {
    json["guards"].push_back({{"name", guard.name},
                              {"value", guard.value},
                              {"low", guard.allowed.low},
                              {"high", guard.allowed.high},
                              {"within", guard.within}});
  }
  json["responses"] = round.responses;
  json["positives"] = round.positives;
  json["negatives"] = round.negatives;
  json["judgments_failed"] = round.judgments_failed;
  json["training_examples"] = round.training_examples;
  json["training_steps"] = round.training_steps;
  json["first_loss"] = or_null(round.first_loss);
  json["last_loss"] = or_null(round.last_loss);
  json["detected_fraction"] = or_null(round.detected_fraction);
  return json;
}

RoundSummary RoundSummaryCache::get(Reader& reader, const Round& round, const std::function<RoundSummary()>& make) {
  if (!is_final(round.phase)) return make();
  const auto adapter = find_adapter(reader, round.id, AdapterKind::kCumulative);
  const auto state = adapter ? std::optional(adapter->state) : std::nullopt;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = kept_.find(round.id);
    if (found != kept_.end() && found->second.updated_at == round.updated_at && found->second.adapter == state) {
      return found->second.summary;
    }
  }
  RoundSummary summary = make();
  const std::scoped_lock lock(mutex_);
  kept_[round.id] = {round.updated_at, state, summary};
  return summary;
}

RoundSummary summarize_round(Reader& reader, RoundId id, const std::filesystem::path& data_dir,
                             RoundSummaryCache* cache) {
  const std::optional<Round> round = find_round(reader, id);
  if (!round) throw Error(ErrorCode::kNotFound, "there is no round " + std::to_string(id.value));
  const auto make = [&] {
    return summarize_round(reader, frozen_run_of(*find_run(reader, round->run)), *round, data_dir);
  };
  return cache ? cache->get(reader, *round, make) : make();
}

RunSummary summarize_run(Reader& reader, RunId id, const std::filesystem::path& data_dir, RoundSummaryCache* cache) {
  const std::optional<Run> run = find_run(reader, id);
  if (!run) throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(id.value));
  const FrozenRun frozen = frozen_run_of(*run);
  RunSummary summary;
  summary.id = id;
  summary.name = frozen.config.name;
  summary.state = run->state;
  summary.reason = run->reason;
  summary.start = read_start(reader, run->start);
  const ModelReference base = model_reference(frozen, std::nullopt, data_dir.string());
  summary.baseline = read_score(reader, evaluation_target(frozen, base, Split::kGate).key);
  std::int64_t last_change = run->updated_at;
  for (const Round& round : list_rounds(reader, id)) {
    const auto make = [&] { return summarize_round(reader, frozen, round, data_dir); };
    summary.rounds.push_back(cache ? cache->get(reader, round, make) : make());
    last_change = std::max(last_change, round.updated_at);
  }
  const RunModels models = read_run_models(reader, frozen, id, data_dir.string());
  summary.report_untrained = read_score(reader, models.untrained.key);
  summary.report_kept = read_score(reader, models.kept.key);
  summary.seconds = static_cast<double>(last_change - run->created_at) / 1e6;
  return summary;
}

Json run_summary_json(const RunSummary& summary) {
  Json rounds = Json::array();
  for (const RoundSummary& round : summary.rounds) rounds.push_back(round_summary_json(round));
  return Json{{"run", summary.id.value},
              {"name", summary.name},
              {"state", name_of(summary.state)},
              {"reason", summary.reason},
              {"ended_by", ended_by(summary)},
              {"start", start_json(summary.start)},
              {"baseline", score_json(summary.baseline)},
              {"rounds", rounds},
              {"report_untrained", score_json(summary.report_untrained)},
              {"report_kept", score_json(summary.report_kept)},
              {"seconds", summary.seconds}};
}

}  // namespace cutd
