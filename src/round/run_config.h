// The configuration of a run, from one YAML file: every key once, strict, frozen as JSON in the run's and
// each round's row. `examples/demo.yaml` is a complete one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "core/sampling_config.h"
#include "core/train_config.h"
#include "dataset/prompt_template.h"
#include "evaluation/guards.h"
#include "evaluation/judging_health.h"
#include "evaluation/quorum.h"
#include "judge_client/annotator.h"

namespace cutd {

// Instruction files (JSON Lines of {"instruction", "input"?}), relative to the configuration file.
struct DataConfig {
  std::string train;
  std::string gate;             // read by the promotion rule; a run cannot promote without it
  std::string report;           // scored once, for the untrained and the kept model
  std::int64_t gate_count = 0;  // how many of the file, from its start; 0: all
  std::int64_t report_count = 0;
  std::int64_t instructions_per_round = 96;
  std::int64_t responses_per_instruction = 1;
  std::int64_t min_training_examples = 8;  // a round with fewer trains nothing and is rejected
};

struct GenerationConfig {
  SamplingConfig sampling;
  std::int64_t unit_prompts = 32;  // prompts of one unit: what a crash can lose
  std::int64_t max_batch = 32;     // of them, how many run at once
};

struct EvaluationConfig {
  double margin = 0;  // promotion needs a paired difference surely above -margin
  // Share of a held-out set's answers that may stay without a judgment (refused, say, again and again): they count for
  // neither side. More of them fail the round.
  double max_missing_share = 0.02;
  std::int64_t bootstrap_resamples = 10000;
  std::int64_t bootstrap_seed = 1234;
  GuardBands guards;
};

// What holds a round until a person has looked at it.
struct AlarmConfig {
  JudgingLimits limits;
  std::string canaries;                  // file of responses with known verdicts (canaries.h); empty: none
  std::int64_t canaries_per_round = 20;  // how many of them the judge is asked about in each round
  std::int64_t anchors = 40;             // of the parent's responses, how many are judged again (anchors.h); 0: none
};

// Judging a finished run's answers to the report set against a reference's, pair by pair: `cutd eval run --config FILE
// --run N`. Read by that command alone; no decision depends on it.
struct PairwiseConfig {
  std::string evaluator;  // built-in name or YAML file, relative to the configuration file; empty: none
  std::string reference;  // outputs in AlpacaEval's format, relative to the configuration file
  std::string base_url;   // empty, as the three below: the evaluator's
  std::string model;
  std::vector<std::string> accepted_models;
  std::string api_key_name = "OPENAI_API_KEY";
  double max_usd = 0;  // in all
  double max_rpm = 0;
  bool allow_http = false;
  std::vector<std::string> allow_private;
  std::string proxy;  // empty: none
};

struct RunLimits {
  std::int64_t rounds = 3;
  std::int64_t patience = 2;        // consecutive rejections that end the run; 0: never
  double budget_usd = 0;            // of all paid annotators together; 0: their caps alone hold
  std::string end_time;             // "2026-11-24T06:00:00Z": no round starts later; empty: none
  std::int64_t seed = 1234;         // of the draw of instructions; samples have generation.seed
  std::string start_from = "base";  // base | kept | id of a promoted adapter: what round 1 trains on (start_point.h)
  std::int64_t min_free_disk_mb = 512;  // below this floor the run pauses (reliability P8)
};

struct RunConfig {
  std::string name = "run";       // prefix of adapter names
  std::string model;              // Hugging Face folder, or a name under DATA/models
  std::string dtype = "float32";  // of the weights when generating and scoring
  std::string device = "auto";
  std::int64_t threads = 0;
  PromptTemplateConfig prompt_template;
  DataConfig data;
  GenerationConfig generation;
  std::vector<AnnotatorConfig> annotators = {AnnotatorConfig{}};
  QuorumPolicy quorum{"fallback", 0.5, 2, {{}}};  // over several annotators; its members are theirs
  TrainConfig train;
  EvaluationConfig evaluation;
  PairwiseConfig pairwise;
  AlarmConfig alarms;
  RunLimits limits;

  const AnnotatorConfig& annotator() const { return annotators.front(); }
  // Who judges, for people: "editor", or "quorum of editor, second".
  std::string judges_name() const;
};

// Strict: unknown keys, wrong types, refused values and contradictions are Error(kUsage) naming `origin`
// and the key. Flags: `overrides` are (key, text) pairs applied after the file.
struct ConfigOverride {
  std::string key;  // "data.gate_count"
  std::string text;
};
RunConfig parse_run_config(const Json& values, const std::string& origin,
                           const std::vector<ConfigOverride>& overrides = {});

// Every key with its value, as it is frozen; parse_run_config gives the same RunConfig back.
Json run_config_json(const RunConfig& config);

// Its "generation" alone.
Json generation_config_json(const GenerationConfig& generation);

// Every key of a run configuration, for --help and flags.
std::vector<Option> run_config_options();

// Of a run or a schedule. Throws Error(kUsage) unless it is 1 to 32 of a-z 0-9 _ -.
void check_run_name(const std::string& name, const std::string& origin);

// Wall-clock microseconds of limits.end_time; 0 when it is empty. Throws Error(kUsage) for other formats.
std::int64_t parse_end_time(const std::string& text, const std::string& origin);

}  // namespace cutd
