#include "cutd/run_estimate.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "evaluation/alpaca_eval.h"
#include "pairwise/annotate.h"
#include "round/canaries.h"
#include "store/store.h"

namespace cutd {
namespace {

constexpr std::int64_t kLeastMeasured = 20;
constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kRankingTokens = 40;  // of a verdict on a pair

// A folder that has no store yet, or one of another version, has measured nothing.
std::map<std::string, MeasuredUse> measured(const std::filesystem::path& data_dir, const RunConfig& config) {
  try {
    return StoreReader(data_dir).read([&](Reader& reader) {
      std::map<std::string, MeasuredUse> uses;
      for (const AnnotatorConfig& annotator : config.annotators) {
        if (const auto use = measured_use(reader, annotator.name, kLeastMeasured)) uses.emplace(annotator.name, *use);
      }
      return uses;
    });
  } catch (const Error&) {
    return {};
  }
}

std::int64_t canary_count(const RunConfig& config, const FileReader& files) {
  const std::string& name = config.alarms.canaries;
  return name.empty() ? 0 : canaries_of_round(parse_canaries(files(name), name).size(), config.alarms);
}

// The report set's pairs, with answers of `bytes` where nobody has answered yet.
std::vector<PairAnnotation> expected_pairs(const RunConfig& config, const InstructionSets& sets,
                                           const std::map<std::string, std::string>& references, std::int64_t bytes) {
  std::vector<PairAnnotation> pairs;
  for (const Instruction& row : sets.report) {
    if (config.data.report_count > 0 && static_cast<std::int64_t>(pairs.size()) == config.data.report_count) break;
    PairAnnotation pair;
    pair.instruction = row.input.empty() ? row.text : row.text + "\n" + row.input;
    const auto reference = references.find(pair.instruction);
    const std::string answer(static_cast<std::size_t>(bytes), 'm');
    pair.output_1 = reference == references.end() ? std::string(answer.size(), 'r') : reference->second;
    pair.output_2 = answer;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::int64_t likely_cost(const std::vector<PairAnnotation>& pairs, const PairwiseEvaluator& evaluator) {
  std::int64_t cost = 0;
  for (const PairAnnotation& pair : pairs) {
    ChatUsage usage;
    for (const ChatMessage& message :
         pairwise_chat(evaluator, {pair.instruction, pair.output_1, pair.output_2}).messages)
      usage.input_tokens += static_cast<std::int64_t>(message.content.size()) / kBytesPerToken;
    usage.output_tokens = std::min(evaluator.max_tokens, kRankingTokens);
    cost += pair_cost(evaluator, usage);
  }
  return cost;
}

PlannedPairs plan_pairs(const RunConfig& config, const std::filesystem::path& folder, const InstructionSets& sets,
                        const PlanAssumptions& assumed) {
  PairwiseEvaluator evaluator = read_evaluator(config.pairwise.evaluator);
  if (!config.pairwise.model.empty()) evaluator.model = config.pairwise.model;
  std::map<std::string, std::string> references;
  if (const auto path = folder / config.pairwise.reference; std::filesystem::is_regular_file(path)) {
    for (const ModelOutput& row : read_model_outputs(path)) references.emplace(row.instruction, row.output);
  }
  const std::int64_t longest = config.generation.sampling.max_new_tokens;
  const std::int64_t typical = std::min(assumed.response_tokens, longest);
  PlannedPairs planned;
  planned.evaluator = evaluator.name;
  planned.likely_usd =
      static_cast<double>(likely_cost(expected_pairs(config, sets, references, typical * kBytesPerToken), evaluator)) /
      1e6;
  const AnnotateEstimate most =
      estimate_annotation(expected_pairs(config, sets, references, longest * kMostBytesPerToken), evaluator);
  planned.calls = most.calls;
  planned.most_usd = static_cast<double>(most.most_cost) / 1e6;
  planned.cap_usd = config.pairwise.max_usd;
  return planned;
}

}  // namespace

RunEstimate estimate_run(const RunConfig& config, const FileReader& files, const std::filesystem::path& data_dir) {
  InstructionFigures figures = instruction_figures(read_instruction_sets(config.data, files), config.data);
  figures.canary_count = canary_count(config, files);
  return estimate_judging(config, figures, measured(data_dir, config));
}

RunEstimate estimate_run(const RunConfig& config, const std::filesystem::path& folder,
                         const std::filesystem::path& data_dir) {
  return estimate_run(config, files_beside(folder), data_dir);
}

bool asks_anyone_over_http(const RunConfig& config) {
  return std::any_of(config.annotators.begin(), config.annotators.end(), asks_over_http);
}

PlanExtras plan_extras(const RunConfig& config, const std::filesystem::path& folder, const InstructionSets& sets,
                       const PlanAssumptions& assumed) {
  PlanExtras extras;
  extras.canaries_of_round = canary_count(config, files_beside(folder));
  if (!config.pairwise.evaluator.empty()) extras.pairs = plan_pairs(config, folder, sets, assumed);
  return extras;
}

}  // namespace cutd
