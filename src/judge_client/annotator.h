// An annotator is data: who judges, how, under which version of which guideline. It comes from the list
// `annotators` of a run's configuration and is frozen with it.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "core/options.h"
#include "judge_client/guideline.h"
#include "judge_client/human_annotator.h"
#include "judge_client/judge.h"
#include "judge_client/llm_annotator.h"

namespace cutd {

struct AnnotatorConfig {
  std::string name = "editor";
  std::string kind = "rule";
  std::string parser = "perfect_prefix";
  Guideline guideline;   // kind rule
  LlmAnnotator llm;      // kinds llm and batch
  HumanAnnotator human;  // kind human
  // Beside other annotators (evaluation/quorum.h). Not part of its version: they change nothing that it says.
  double weight = 1;
  std::string role = "judge";  // judge | referee: asked only when the others disagree
};

// Whether its section `llm` says whom it asks (llm: each for itself; batch: many together, half the price, in a day).
inline bool asks_a_model(const AnnotatorConfig& config) { return config.kind == "llm" || config.kind == "batch"; }
// Whether that is a model in our own engine (round/engine_judge.h): free, without key, ledger and network.
inline bool asks_engine(const AnnotatorConfig& config) { return asks_a_model(config) && config.llm.api == "engine"; }
inline bool asks_over_http(const AnnotatorConfig& config) { return asks_a_model(config) && !asks_engine(config); }

void declare_annotator_options(OptionTable& table, AnnotatorConfig& config);

// One entry of the list, strictly: Error(kUsage) naming `origin` and the key.
AnnotatorConfig parse_annotator(const Json& entry, const std::string& origin);
Json annotator_json(const AnnotatorConfig& config);

// Name and version under which judgments and evaluations are stored ("editor", "rule/1f0c…").
std::string annotator_version(const AnnotatorConfig& config);

// The judge of an annotator of kind rule. One of kind llm needs a key and a clock (make_llm_judge.h), or the engine
// (round/engine_judge.h).
// One of kind human has none: its judge is the queue (store/queue.h).
std::unique_ptr<Judge> make_judge(const AnnotatorConfig& config);

}  // namespace cutd
