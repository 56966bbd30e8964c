#include "round/run_config.h"

#include <time.h>

#include <cstdio>
#include <set>

#include "core/clock.h"
#include "core/error.h"
#include "round/start_point.h"

namespace cutd {
namespace {

void declare_data_options(OptionTable& table, DataConfig& data) {
  table.add("data.train", &data.train, "training instructions, JSON Lines, relative to this file");
  table.add("data.gate", &data.gate, "held-out instructions that decide about promotion");
  table.add("data.report", &data.report, "held-out instructions for the final figures only");
  table.add("data.gate_count", &data.gate_count, "how many of the gate file, from its start (0: all)", at_least(0));
  table.add("data.report_count", &data.report_count, "how many of the report file, from its start (0: all)",
            at_least(0));
  table.add("data.instructions_per_round", &data.instructions_per_round, "fresh instructions of one round",
            at_least(1));
  table.add("data.responses_per_instruction", &data.responses_per_instruction, "responses generated for each",
            at_least(1));
  table.add("data.min_training_examples", &data.min_training_examples, "a round with fewer is rejected untrained",
            at_least(1));
}

void declare_generation_options(OptionTable& table, GenerationConfig& generation) {
  declare_sampling_options(table, generation.sampling, "generation");
  table.add("generation.unit_prompts", &generation.unit_prompts, "prompts answered and stored together", at_least(1));
  table.add("generation.max_batch", &generation.max_batch, "prompts that run at once", at_least(1));
}

void declare_evaluation_options(OptionTable& table, EvaluationConfig& evaluation) {
  table.add("evaluation.margin", &evaluation.margin, "promote when the paired difference is surely above minus this",
            in_range(0, 1));
  table.add("evaluation.max_missing_share", &evaluation.max_missing_share,
            "share of held-out answers that may stay without a judgment; they count for neither side",
            in_range(0, 0.5));
  table.add("evaluation.bootstrap_resamples", &evaluation.bootstrap_resamples, "draws of the paired bootstrap",
            at_least(100));
  table.add("evaluation.bootstrap_seed", &evaluation.bootstrap_seed, "seed of the paired bootstrap", at_least(0));
  declare_guard_options(table, evaluation.guards, "evaluation.guards");
}

void declare_pairwise_options(OptionTable& table, PairwiseConfig& pairwise) {
  table.add("pairwise.evaluator", &pairwise.evaluator,
            "of `cutd eval run --config`: a built-in name, or a YAML file relative to this one");
  table.add("pairwise.reference", &pairwise.reference, "outputs to compare with, in AlpacaEval's format");
  table.add("pairwise.base_url", &pairwise.base_url, "API of the judge; empty: the evaluator's");
  table.add("pairwise.model", &pairwise.model, "judging model; empty: the evaluator's");
  table.add("pairwise.accepted_models", &pairwise.accepted_models, "other names that its replies may bear");
  table.add("pairwise.api_key_name", &pairwise.api_key_name, "name of the credential; empty: no key is sent");
  table.add("pairwise.max_usd", &pairwise.max_usd, "most money in all", in_range(0, 1e9));
  table.add("pairwise.max_rpm", &pairwise.max_rpm, "requests a minute (0: no limit)", in_range(0, 1e9));
  table.add("pairwise.allow_http", &pairwise.allow_http, "permit unencrypted http:// (a server on this machine)");
  table.add("pairwise.allow_private", &pairwise.allow_private, "private address ranges that may be connected to");
  table.add("pairwise.proxy", &pairwise.proxy, "http://host:port that requests go through; empty: none");
}

void declare_limit_options(OptionTable& table, RunLimits& limits) {
  table.add("run.rounds", &limits.rounds, "most rounds", at_least(1));
  table.add("run.patience", &limits.patience, "stop after this many rejections in a row (0: never)", at_least(0));
  table.add("run.budget_usd", &limits.budget_usd,
            "no round starts once paid annotators have cost this (0: their caps alone hold)", in_range(0, 1e9));
  table.add("run.end_time", &limits.end_time, "no round starts after this time, e.g. 2026-11-24T06:00:00Z");
  table.add("run.seed", &limits.seed, "seed of the draw of instructions", at_least(0));
  table.add(
      "run.start_from", &limits.start_from,
      "what round 1 trains on: base, kept (what the newest finished run of the same base kept) or an adapter's id",
      start_point_check());
  table.add("run.min_free_disk_mb", &limits.min_free_disk_mb, "pause when less disk is free", at_least(0));
}

void declare_run_options(OptionTable& table, RunConfig& config, std::vector<Json>& annotators) {
  table.add("name", &config.name, "prefix of the run's adapter names");
  table.add("model", &config.model, "Hugging Face folder, or a name that `cutd model import` gave");
  table.add("dtype", &config.dtype, "weights when generating and scoring: float32 or bfloat16",
            one_of({"float32", "bfloat16"}));
  table.add("device", &config.device, "auto, cpu or cuda:N");
  table.add("threads", &config.threads, "CPU threads (0: one per core)", at_least(0));
  declare_template_options(table, config.prompt_template);
  declare_data_options(table, config.data);
  declare_generation_options(table, config.generation);
  table.add("annotators", &annotators,
            "who judges: a list of {name, kind, guideline or llm, ...}; several are a quorum");
  declare_quorum_options(table, config.quorum, "quorum");
  declare_train_options(table, config.train);
  declare_evaluation_options(table, config.evaluation);
  declare_pairwise_options(table, config.pairwise);
  declare_judging_limits(table, config.alarms.limits, "alarms");
  table.add("alarms.canaries", &config.alarms.canaries,
            "responses with known verdicts, JSON Lines, relative to this file; empty: none");
  table.add("alarms.canaries_per_round", &config.alarms.canaries_per_round,
            "how many of them the judge is asked about in each round", at_least(1));
  table.add("alarms.anchors", &config.alarms.anchors,
            "how many of the parent's responses are judged again before a large rise promotes (0: none)", at_least(0));
  declare_limit_options(table, config.limits);
}

void check_complete(const RunConfig& config, const std::string& origin) {
  check_run_name(config.name, origin);
  const auto require = [&](const std::string& value, const char* key, const char* why) {
    if (value.empty()) throw Error(ErrorCode::kUsage, origin + ": key \"" + key + "\" is missing: " + why);
  };
  require(config.data.train, "data.train", "a run draws its instructions from this file");
  require(config.data.gate, "data.gate", "without a gate set nothing can be promoted");
  require(config.data.report, "data.report", "the final figures come from this file");
  parse_end_time(config.limits.end_time, origin);
  // Greedy responses to one prompt are all the same.
  if (config.data.responses_per_instruction > 1 && config.generation.sampling.temperature == 0) {
    throw Error(ErrorCode::kUsage,
                origin + ": data.responses_per_instruction above 1 needs generation.temperature above 0");
  }
}

void read_annotators(RunConfig& config, const std::vector<Json>& entries, const std::string& origin) {
  config.annotators.clear();
  config.quorum.members.clear();
  std::set<std::string> names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string place = origin + ": annotators[" + std::to_string(i) + "]";
    config.annotators.push_back(parse_annotator(entries[i], place));
    const AnnotatorConfig& annotator = config.annotators.back();
    if (!names.insert(annotator.name).second)
      throw Error(ErrorCode::kUsage, place + ": key \"name\": there are two annotators \"" + annotator.name + "\"");
    config.quorum.members.push_back({annotator.weight, annotator.role == "referee"});
  }
  if (entries.size() == 1) return;
  const std::string defect = quorum_defect(config.quorum);
  if (!defect.empty()) throw Error(ErrorCode::kUsage, origin + ": key \"annotators\": " + defect);
}

}  // namespace

void check_run_name(const std::string& name, const std::string& origin) {
  const std::string allowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (name.empty() || name.size() > 32 || name.find_first_not_of(allowed) != std::string::npos) {
    throw Error(ErrorCode::kUsage, origin + ": key \"name\" must be 1 to 32 of a-z 0-9 _ -, not \"" + name + "\"");
  }
}

std::string RunConfig::judges_name() const {
  if (annotators.size() == 1) return annotator().name;
  std::string names;
  for (const AnnotatorConfig& one : annotators) names += (names.empty() ? "quorum of " : ", ") + one.name;
  return names;
}

RunConfig parse_run_config(const Json& values, const std::string& origin,
                           const std::vector<ConfigOverride>& overrides) {
  RunConfig config;
  std::vector<Json> annotators;
  OptionTable table;
  declare_run_options(table, config, annotators);
  table.load(values, origin);
  for (const ConfigOverride& override : overrides) table.set_text(override.key, override.text, override.key);
  if (!annotators.empty()) read_annotators(config, annotators, origin);
  check_complete(config, origin);
  return config;
}

Json run_config_json(const RunConfig& config) {
  RunConfig copy = config;
  std::vector<Json> annotators;
  for (const AnnotatorConfig& annotator : config.annotators) annotators.push_back(annotator_json(annotator));
  OptionTable table;
  declare_run_options(table, copy, annotators);
  return table.effective();
}

Json generation_config_json(const GenerationConfig& generation) {
  GenerationConfig copy = generation;
  OptionTable table;
  declare_generation_options(table, copy);
  return table.effective().at("generation");
}

std::vector<Option> run_config_options() {
  RunConfig config;
  std::vector<Json> annotators;
  OptionTable table;
  declare_run_options(table, config, annotators);
  std::vector<Option> options = table.options();
  for (Option& option : options) {  // the targets above end here
    option.set = nullptr;
    option.get = nullptr;
    option.check = nullptr;
  }
  return options;
}

std::int64_t parse_end_time(const std::string& text, const std::string& origin) {
  if (text.empty()) return 0;
  tm parts{};
  std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
              &parts.tm_min, &parts.tm_sec);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const std::int64_t micros = static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000;
  // Whatever was no date, or a day or hour there is not, reads differently when it is written again.
  if (format_utc(micros) != text) {
    throw Error(ErrorCode::kUsage,
                origin + ": key \"run.end_time\" must look like 2026-11-24T06:00:00Z, not \"" + text + "\"");
  }
  return micros;
}

}  // namespace cutd
