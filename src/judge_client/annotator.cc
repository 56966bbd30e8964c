#include "judge_client/annotator.h"

#include "core/error.h"
#include "judge_client/rule_annotator.h"
#include "judge_client/verdict.h"

namespace cutd {
namespace {

std::string check_name(const std::string& name) {
  const bool safe = !name.empty() && name.size() <= 64 &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos;
  return safe ? "" : "must be 1 to 64 of a-z 0-9 . _ -";
}

}  // namespace

void declare_annotator_options(OptionTable& table, AnnotatorConfig& config) {
  table.add<std::string>("name", &config.name, "who judges, as judgments and reports show it", check_name);
  table.add(
      "kind", &config.kind,
      "rule: applies the written guideline; llm: asks a model, or a webhook; batch: a model, in batches; human: people "
      "judge in the annotation queue",
      one_of({"rule", "llm", "batch", "human"}));
  table.add("parser", &config.parser, "how a reply becomes a verdict", one_of({"perfect_prefix"}));
  declare_guideline_options(table, config.guideline, "guideline");
  table.add("weight", &config.weight, "of its vote beside other annotators'", in_range(1e-6, 1e6));
  table.add("role", &config.role, "judge, or referee: asked only when the others disagree",
            one_of({"judge", "referee"}));
  declare_llm_options(table, config.llm, "llm");
  declare_human_options(table, config.human, "human");
}

AnnotatorConfig parse_annotator(const Json& entry, const std::string& origin) {
  AnnotatorConfig config;
  OptionTable table;
  declare_annotator_options(table, config);
  table.load(entry, origin);
  check_guideline(config.guideline, origin);
  if (config.kind == "human") {
    const std::string defect = human_defect(config.human);
    if (!defect.empty()) throw Error(ErrorCode::kUsage, origin + ": " + defect);
  }
  if (!asks_a_model(config)) return config;
  if (config.kind == "batch" && config.llm.api != "openai" && config.llm.api != "anthropic") {
    throw Error(ErrorCode::kUsage, origin + ": llm.api: there are no batches for \"" + config.llm.api +
                                       "\", only for openai and anthropic: say kind llm");
  }
  if (config.kind == "llm" && config.llm.on_unknown == "reconcile") {
    throw Error(ErrorCode::kUsage,
                origin + ": llm.on_unknown: only a batch (kind batch) can be looked up at the provider; " +
                    "say hold or resend");
  }
  settle_llm_annotator(config.llm, origin);
  return config;
}

Json annotator_json(const AnnotatorConfig& config) {
  AnnotatorConfig copy = config;
  OptionTable table;
  declare_annotator_options(table, copy);
  Json json = table.effective();
  json.erase(asks_a_model(config) ? "guideline" : "llm");  // the other kind's keys say nothing
  return json;
}

std::string annotator_version(const AnnotatorConfig& config) {
  if (asks_a_model(config)) return llm_annotator_version(config.llm);
  if (config.kind == "human") return human_version(config.human);
  return config.kind + "/" + guideline_version(config.guideline);
}

std::unique_ptr<Judge> make_judge(const AnnotatorConfig& config) {
  if (config.kind != "rule") throw Error(ErrorCode::kInternal, "annotator " + config.name + " is not of kind rule");
  return std::make_unique<RuleJudge>(config.guideline);
}

}  // namespace cutd
