#include "round/judge_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "judge_client/make_llm_judge.h"
#include "round/instruction_sets.h"
#include "round/start_point.h"

namespace cutd {
namespace {

constexpr std::int64_t kBytesPerToken = 4;
constexpr std::int64_t kShareOfJudgment = 4;  // a judgment uses about a quarter of what it may
constexpr double kSecondsPerCall = 3;         // of one request to a large model, where nothing limits it but latency

std::string text_of(std::int64_t bytes) {
  return std::string(static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)), 'x');
}

std::int64_t price(const TokenPrice& price, double input, double output) {
  return static_cast<std::int64_t>(std::ceil(input * price.input + output * price.output));
}

std::int64_t discounted(const AnnotatorConfig& annotator, std::int64_t cost) {
  const double factor = annotator.kind == "batch" ? annotator.llm.batch.price_factor : 1;
  return static_cast<std::int64_t>(std::ceil(factor * static_cast<double>(cost)));
}

JudgingCost one_call(const LlmJudgeOptions& options, const AnnotatorConfig& annotator, std::int64_t response,
                     const InstructionFigures& figures, const std::optional<MeasuredUse>& measured) {
  JudgingCost call;
  call.calls = 1;
  if (measured) {
    call.input_tokens = std::llround(measured->input_tokens);
    call.output_tokens = std::llround(measured->output_tokens);
  } else {
    const ChatRequest request = judging_request(
        options, {text_of(figures.mean_bytes), text_of(response), text_of(figures.mean_reference_bytes)});
    if (request.messages.empty()) return call;  // a webhook's: nothing is counted in tokens
    call.input_tokens = most_input_tokens(request) / kBytesPerToken;
    call.output_tokens = std::max<std::int64_t>(request.max_tokens / kShareOfJudgment, 1);
  }
  call.cost = discounted(
      annotator, price(options.price, static_cast<double>(call.input_tokens), static_cast<double>(call.output_tokens)));
  return call;
}

JudgingCost times(const JudgingCost& call, std::int64_t calls) {
  return {calls, call.input_tokens * calls, call.output_tokens * calls, call.cost * calls};
}

double seconds_of(const LlmAnnotator& annotator, const JudgingCost& cost) {
  const auto calls = static_cast<double>(cost.calls);
  double seconds = calls * kSecondsPerCall / static_cast<double>(annotator.max_in_flight);
  if (annotator.max_rpm > 0) seconds = std::max(seconds, calls / annotator.max_rpm * 60);
  if (annotator.max_tpm > 0) {
    seconds = std::max(seconds, static_cast<double>(cost.input_tokens + cost.output_tokens) / annotator.max_tpm * 60);
  }
  return seconds;
}

void warn_of_caps(JudgeEstimate& estimate, const LlmAnnotator& annotator) {
  if (annotator.price.is_free()) return;
  const auto warn = [&](const char* key, double cap, const JudgingCost& part, const char* what) {
    if (part.cost <= micros_of(cap)) return;
    estimate.warnings.push_back(
        fmt::format("llm.caps.{} of {} ends after about {} of the {} calls of {}: the run pauses "
                    "there until the cap is raised (cutd ledger caps)",
                    key, dollars_text(micros_of(cap)), micros_of(cap) / std::max<std::int64_t>(estimate.call.cost, 1),
                    part.calls, what));
  };
  if (estimate.most_per_call > micros_of(annotator.caps.request)) {
    estimate.warnings.push_back(
        fmt::format("llm.caps.request of {} lets no long text through: {} are reserved for the longest",
                    dollars_text(micros_of(annotator.caps.request)), dollars_text(estimate.most_per_call)));
  }
  warn("round", annotator.caps.round, estimate.round, "a round");
  warn("day", annotator.caps.day, estimate.run, "the run, should it end within a day");
  warn("total", annotator.caps.total, estimate.run, "the run");
}

// Calls of a round and of the whole run.
std::pair<std::int64_t, std::int64_t> calls_of(const RunConfig& config, const InstructionFigures& figures) {
  const std::int64_t trained = config.data.instructions_per_round * config.data.responses_per_instruction;
  const std::int64_t per_round = trained + figures.gate_count + figures.canary_count;
  const std::int64_t references = config.limits.start_from == kStartFromBase ? 1 : 2;  // untrained, and its start
  return {per_round, references * figures.gate_count + config.limits.rounds * per_round + 2 * figures.report_count};
}

JudgeEstimate estimate_annotator(const RunConfig& config, const AnnotatorConfig& annotator,
                                 const InstructionFigures& figures, const std::optional<MeasuredUse>& measured) {
  JudgeEstimate estimate;
  estimate.annotator = annotator.name;
  const auto [per_round, whole] = calls_of(config, figures);
  if (!asks_over_http(annotator)) {
    estimate.round.calls = per_round;
    estimate.run.calls = whole;
    return estimate;
  }
  const std::int64_t anchors = std::min(config.alarms.anchors, figures.gate_count);
  const LlmJudgeOptions options = llm_judge_options(annotator.llm, "");
  estimate.model = annotator.llm.model.empty() ? annotator.llm.base_url : annotator.llm.model;
  if (measured) estimate.measured = measured->attempts;
  const std::int64_t longest = config.generation.sampling.max_new_tokens * kBytesPerToken;
  estimate.call = one_call(options, annotator, longest, figures, measured);
  estimate.most_per_call = discounted(
      annotator, most_cost(options.price, judging_request(options, {text_of(figures.most_bytes), text_of(longest),
                                                                    text_of(figures.most_reference_bytes)})));
  estimate.round = times(estimate.call, per_round);
  estimate.run = times(estimate.call, whole);
  estimate.anchors = times(estimate.call, anchors);
  if (annotator.kind == "llm") estimate.seconds_per_round = seconds_of(annotator.llm, estimate.round);
  warn_of_caps(estimate, annotator.llm);
  return estimate;
}

void add(JudgingCost& sum, const JudgingCost& part) {
  sum.calls += part.calls;
  sum.input_tokens += part.input_tokens;
  sum.output_tokens += part.output_tokens;
  sum.cost += part.cost;
}

Json cost_json(const JudgingCost& cost) {
  return {{"calls", cost.calls},
          {"input_tokens", cost.input_tokens},
          {"output_tokens", cost.output_tokens},
          {"cost", cost.cost}};
}

std::string cost_text(const char* what, const JudgingCost& cost) {
  return fmt::format("  {:<9}{:>8} calls  {:>12} tokens in  {:>10} out  {:>12}\n", what, cost.calls, cost.input_tokens,
                     cost.output_tokens, dollars_text(cost.cost));
}

}  // namespace

std::string dollars_text(std::int64_t micros) {
  const double dollars = static_cast<double>(micros) / 1e6;
  return std::abs(dollars) >= 0.1 || micros == 0 ? fmt::format("${:.2f}", dollars) : fmt::format("${:.6f}", dollars);
}

InstructionFigures instruction_figures(const InstructionSets& sets, const DataConfig& data) {
  const auto count = [](const std::vector<Instruction>& set, std::int64_t first) {
    const auto all = static_cast<std::int64_t>(set.size());
    return first > 0 ? std::min(first, all) : all;
  };
  InstructionFigures figures;
  figures.gate_count = count(sets.gate, data.gate_count);
  figures.report_count = count(sets.report, data.report_count);
  std::int64_t bytes = 0;
  std::int64_t reference_bytes = 0;
  for (const Instruction& instruction : sets.train) {
    const auto size = static_cast<std::int64_t>(instruction.text.size() + instruction.input.size());
    bytes += size;
    figures.most_bytes = std::max(figures.most_bytes, size);
    const auto reference = static_cast<std::int64_t>(instruction.reference.size());
    reference_bytes += reference;
    figures.most_reference_bytes = std::max(figures.most_reference_bytes, reference);
  }
  if (sets.train.empty()) return figures;
  figures.mean_bytes = bytes / static_cast<std::int64_t>(sets.train.size());
  figures.mean_reference_bytes = reference_bytes / static_cast<std::int64_t>(sets.train.size());
  return figures;
}

std::int64_t canaries_of_round(std::size_t canaries, const AlarmConfig& alarms) {
  return std::min(static_cast<std::int64_t>(canaries), alarms.canaries_per_round);
}

bool asks_fewer(const RunConfig& config) {
  if (config.annotators.size() == 1) return false;
  const auto& members = config.quorum.members;
  return config.quorum.rule == "fallback" ||
         std::any_of(members.begin(), members.end(), [](const QuorumMember& member) { return member.referee; });
}

RunEstimate estimate_judging(const RunConfig& config, const InstructionFigures& figures,
                             const std::map<std::string, MeasuredUse>& measured) {
  RunEstimate estimate;
  estimate.judges = config.judges_name();
  estimate.upper_bound = asks_fewer(config);
  for (const AnnotatorConfig& annotator : config.annotators) {
    const auto used = measured.find(annotator.name);
    estimate.annotators.push_back(estimate_annotator(
        config, annotator, figures, used == measured.end() ? std::nullopt : std::optional(used->second)));
    add(estimate.round, estimate.annotators.back().round);
    add(estimate.run, estimate.annotators.back().run);
  }
  return estimate;
}

namespace {

Json judge_estimate_json(const JudgeEstimate& estimate) {
  return {{"annotator", estimate.annotator},
          {"model", estimate.model.empty() ? Json() : Json(estimate.model)},
          {"measured", estimate.measured ? Json(*estimate.measured) : Json()},
          {"call", cost_json(estimate.call)},
          {"most_per_call", estimate.most_per_call},
          {"round", cost_json(estimate.round)},
          {"run", cost_json(estimate.run)},
          {"anchors", cost_json(estimate.anchors)},
          {"seconds_per_round", estimate.seconds_per_round},
          {"warnings", estimate.warnings}};
}

std::string judge_estimate_text(const JudgeEstimate& estimate) {
  if (estimate.model.empty()) {
    return fmt::format("annotator {} judges {} responses a round and {} in all, on this machine and free of charge\n",
                       estimate.annotator, estimate.round.calls, estimate.run.calls);
  }
  if (estimate.run.input_tokens == 0 && estimate.run.cost == 0) {
    return fmt::format("annotator {} asks {} {} times a round and {} times in all; a round's calls take about {}\n",
                       estimate.annotator, estimate.model, estimate.round.calls, estimate.run.calls,
                       format_duration(estimate.seconds_per_round));
  }
  std::string text = fmt::format("annotator {} asks {}; {}:\n", estimate.annotator, estimate.model,
                                 estimate.measured ? fmt::format("as its last {} requests were", *estimate.measured)
                                                   : std::string("by assumed lengths (nothing was measured yet)"));
  text +=
      cost_text("a call", estimate.call) + cost_text("a round", estimate.round) + cost_text("the run", estimate.run);
  text += fmt::format("  at most {} are reserved for a call; {}\n", dollars_text(estimate.most_per_call),
                      estimate.seconds_per_round > 0
                          ? "a round's calls take about " + format_duration(estimate.seconds_per_round)
                          : std::string("a batch's answers come within a day"));
  if (estimate.anchors.calls > 0) {
    text +=
        fmt::format("  a round whose score rises much asks {} times more, for {} (alarms.anchors); not in the sums\n",
                    estimate.anchors.calls, dollars_text(estimate.anchors.cost));
  }
  for (const std::string& warning : estimate.warnings) text += "  mind: " + warning + "\n";
  return text;
}

}  // namespace

Json run_estimate_json(const RunEstimate& estimate) {
  Json annotators = Json::array();
  for (const JudgeEstimate& one : estimate.annotators) annotators.push_back(judge_estimate_json(one));
  return {{"judges", estimate.judges},
          {"upper_bound", estimate.upper_bound},
          {"annotators", std::move(annotators)},
          {"round", cost_json(estimate.round)},
          {"run", cost_json(estimate.run)}};
}

std::string run_estimate_text(const RunEstimate& estimate) {
  std::string text;
  for (const JudgeEstimate& one : estimate.annotators) text += judge_estimate_text(one);
  if (estimate.annotators.size() == 1) return text;
  text +=
      estimate.judges + " together" +
      (estimate.upper_bound ? ", at most (the later ones are asked only where those before them gave no judgment):\n"
                            : ":\n");
  return text + cost_text("a round", estimate.round) + cost_text("the run", estimate.run);
}

}  // namespace cutd
