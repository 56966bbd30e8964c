#include "round/run_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "judge_client/make_llm_judge.h"
#include "judge_client/price.h"
#include "round/judge_estimate.h"
#include "round/start_point.h"
#include "weights/model_layout.h"

namespace cutd {
namespace {

constexpr std::int64_t kBytesPerToken = 4;  // of English text, typically
// Floating-point operations a second that generation and training reached. CPU, per core: docs/benchmarks.md (SmolLM2,
// 739 and 396 tokens/s on two cores, at 2 and 6 operations per parameter and token). GPU: what an H100 does by its data
// sheet in bf16, a fifth and two fifths of it; not measured.
constexpr double kCpuGeneration = 1.0e11;
constexpr double kCpuTraining = 1.6e11;
constexpr double kGpuGeneration = 2.0e14;
constexpr double kGpuTraining = 4.0e14;
// Bytes a second from a GPU's memory, a data-sheet value as well: each step of generation reads all weights once.
constexpr double kGpuMemory = 3.0e12;

std::int64_t count_of(std::size_t all, std::int64_t asked) {
  const auto size = static_cast<std::int64_t>(all);
  return asked > 0 ? std::min(asked, size) : size;
}

std::int64_t element_bytes(const std::string& dtype) { return dtype == "bfloat16" ? 2 : 4; }

void plan_counts(const RunConfig& config, const InstructionSets& sets, const PlanExtras& extras, RunPlan& plan) {
  const DataConfig& data = config.data;
  const std::int64_t enough = static_cast<std::int64_t>(sets.train.size()) / data.instructions_per_round;
  plan.rounds = std::min(config.limits.rounds, std::max<std::int64_t>(enough, 1));
  plan.train_responses = plan.rounds * data.instructions_per_round * data.responses_per_instruction;
  // Each candidate, the untrained model, and what the first round starts from where that is another one.
  const std::int64_t models = plan.rounds + (config.limits.start_from == kStartFromBase ? 1 : 2);
  plan.gate_responses = models * count_of(sets.gate.size(), data.gate_count);
  plan.report_responses = 2 * count_of(sets.report.size(), data.report_count);
  plan.responses = plan.train_responses + plan.gate_responses + plan.report_responses;
  plan.canaries = plan.rounds * extras.canaries_of_round;
  plan.annotators = static_cast<std::int64_t>(config.annotators.size());
  plan.judge_calls = plan.annotators * (plan.responses + plan.canaries);
  plan.fewer_calls = asks_fewer(config);
  plan.pairs = extras.pairs;
}

double mean_instruction_bytes(const InstructionSets& sets) {
  double bytes = 0;
  std::size_t count = 0;
  for (const auto* set : {&sets.train, &sets.gate, &sets.report}) {
    for (const Instruction& row : *set) bytes += static_cast<double>(row.text.size() + row.input.size() + 1);
    count += set->size();
  }
  return count == 0 ? 0 : bytes / static_cast<double>(count);
}

std::size_t longest_instruction(const InstructionSets& sets) {
  std::size_t longest = 0;
  for (const auto* set : {&sets.train, &sets.gate, &sets.report}) {
    for (const Instruction& row : *set) longest = std::max(longest, row.text.size() + row.input.size() + 1);
  }
  return longest;
}

std::size_t longest_reference(const InstructionSets& sets) {
  std::size_t longest = 0;
  for (const auto* set : {&sets.train, &sets.gate, &sets.report}) {
    for (const Instruction& row : *set) longest = std::max(longest, row.reference.size());
  }
  return longest;
}

// Where the prompt shows a reference answer, one as long as the longest.
ChatRequest request_of(const LlmAnnotator& annotator, const InstructionSets& sets, std::size_t instruction_bytes,
                       std::size_t response_bytes) {
  return judging_request(llm_judge_options(annotator, ""),
                         {std::string(instruction_bytes, 'i'), std::string(response_bytes, 'r'),
                          std::string(std::max<std::size_t>(longest_reference(sets), 1), 'a')});
}

std::size_t message_bytes(const ChatRequest& request) {
  std::size_t bytes = 0;
  for (const ChatMessage& message : request.messages) bytes += message.content.size();
  return bytes;
}

void plan_cost_of(const RunConfig& config, const AnnotatorConfig& member, const InstructionSets& sets, RunPlan& plan) {
  const LlmAnnotator& annotator = member.llm;
  if (!asks_over_http(member) || annotator.price.is_free()) return;
  plan.paid = true;
  const std::int64_t longest = config.generation.sampling.max_new_tokens;
  const ChatRequest likely = request_of(annotator, sets, static_cast<std::size_t>(mean_instruction_bytes(sets)),
                                        static_cast<std::size_t>(plan.assumed.response_tokens * kBytesPerToken));
  ChatUsage usage;
  usage.input_tokens = static_cast<std::int64_t>(message_bytes(likely)) / kBytesPerToken;
  usage.output_tokens = plan.assumed.judgment_tokens;
  const ChatRequest most =
      request_of(annotator, sets, longest_instruction(sets), static_cast<std::size_t>(longest * kMostBytesPerToken));
  const double factor = member.kind == "batch" ? annotator.batch.price_factor : 1;
  const double calls = factor * static_cast<double>(plan.responses + plan.canaries);
  plan.likely_usd += calls * static_cast<double>(price_of(annotator.price, usage)) / 1e6;
  plan.most_usd += calls * static_cast<double>(most_cost(annotator.price, most)) / 1e6;
  plan.cap_usd += annotator.caps.total;
}

void plan_cost(const RunConfig& config, const InstructionSets& sets, RunPlan& plan) {
  for (const AnnotatorConfig& member : config.annotators) plan_cost_of(config, member, sets, plan);
  if (plan.paid && config.limits.budget_usd > 0) plan.cap_usd = std::min(plan.cap_usd, config.limits.budget_usd);
}

// Elements of a LoRA of rank r on the target modules.
std::int64_t lora_elements(const TrainConfig& train, const ModelConfig& model) {
  std::int64_t elements = 0;
  for (std::int64_t layer = 0; layer < model.layers; ++layer) {
    for (const LinearModule& module : layer_linear_modules(model, layer)) {
      const auto& targets = train.lora.target_modules;
      if (std::find(targets.begin(), targets.end(), module.kind) != targets.end())
        elements += train.lora.r * (module.shape.in + module.shape.out);
    }
  }
  return elements;
}

void plan_memory(const RunConfig& config, const ModelConfig& model, RunPlan& plan) {
  for (const TensorSpec& spec : model_tensor_specs(model)) {
    std::int64_t elements = 1;
    for (const std::int64_t size : spec.shape) elements *= size;
    plan.parameters += elements;
  }
  const std::int64_t bytes = element_bytes(config.dtype);
  plan.weight_bytes = plan.parameters * bytes;
  const std::int64_t length = config.generation.sampling.max_new_tokens + 256;  // and a prompt
  plan.cache_bytes = config.generation.max_batch * length * model.layers * 2 * model.kv_heads * model.head_dim * bytes;
  // Of a layer's activations about eight are as wide as the model and three as its feed-forward part.
  const std::int64_t per_token = model.layers - config.train.recompute_layers;
  const std::int64_t activations = std::max<std::int64_t>(per_token, 1) * config.train.pack_tokens *
                                   (8 * model.hidden_size + 3 * model.intermediate_size) *
                                   element_bytes(config.train.dtype);
  plan.training_bytes = lora_elements(config.train, model) * 4 * 4 + activations;
  if (config.train.dtype != config.dtype) plan.training_bytes += plan.parameters * element_bytes(config.train.dtype);
}

void plan_speeds(const RunConfig& config, const RunPlan& plan, PlanAssumptions& assumed) {
  const double size = static_cast<double>(plan.parameters);
  const double cores = static_cast<double>(config.threads > 0 ? config.threads : assumed.cores);
  if (assumed.generation_tokens_per_second <= 0) {
    const double computed = (assumed.gpu ? kGpuGeneration : kCpuGeneration * cores) / (2 * size);
    const double read = static_cast<double>(config.generation.max_batch) * kGpuMemory /
                        static_cast<double>(std::max<std::int64_t>(plan.weight_bytes, 1));
    assumed.generation_tokens_per_second = assumed.gpu ? std::min(computed, read) : computed;
  }
  if (assumed.training_tokens_per_second <= 0)
    assumed.training_tokens_per_second = (assumed.gpu ? kGpuTraining : kCpuTraining * cores) / (6 * size);
}

double judging_seconds(const AnnotatorConfig& member, const RunPlan& plan) {
  if (member.kind != "llm") return 0;  // at once, within a day, or when people come to it
  const auto calls = static_cast<double>(plan.responses + plan.canaries);
  // As fast as the model that answers, whose size it is guessed to have.
  if (asks_engine(member))
    return calls * static_cast<double>(plan.assumed.judgment_tokens) / plan.assumed.generation_tokens_per_second;
  const double seconds = calls * plan.assumed.judge_seconds / static_cast<double>(member.llm.max_in_flight);
  return member.llm.max_rpm > 0 ? std::max(seconds, calls / member.llm.max_rpm * 60) : seconds;
}

void plan_time(const RunConfig& config, const InstructionSets& sets, RunPlan& plan) {
  plan_speeds(config, plan, plan.assumed);
  const double response =
      static_cast<double>(std::min(plan.assumed.response_tokens, config.generation.sampling.max_new_tokens));
  const double prompt = mean_instruction_bytes(sets) / static_cast<double>(kBytesPerToken) + 40;
  plan.generation_seconds = static_cast<double>(plan.responses) * response / plan.assumed.generation_tokens_per_second;
  // Both contexts of a criticised response: at most two sequences an example.
  plan.training_seconds = static_cast<double>(plan.train_responses * config.train.num_train_epochs) * 2 *
                          (prompt + response) / plan.assumed.training_tokens_per_second;
  for (const AnnotatorConfig& member : config.annotators) plan.judging_seconds += judging_seconds(member, plan);
}

Json pairs_json(const std::optional<PlannedPairs>& pairs) {
  if (!pairs) return nullptr;
  return {{"evaluator", pairs->evaluator},
          {"calls", pairs->calls},
          {"likely_usd", pairs->likely_usd},
          {"most_usd", pairs->most_usd},
          {"cap_usd", pairs->cap_usd}};
}

std::string calls_text(const RunPlan& plan) {
  const std::string canaries = plan.canaries > 0 ? fmt::format(" and canary (of these {})", plan.canaries) : "";
  if (plan.annotators == 1)
    return fmt::format("calls      {} of the judge, one a response{}\n", plan.judge_calls, canaries);
  return fmt::format(
      "calls      {}{} of the {} annotators, one of each a response{}{}\n", plan.fewer_calls ? "at most " : "",
      plan.judge_calls, plan.annotators, canaries,
      plan.fewer_calls ? "; the later ones are asked only where those before them gave no judgment" : "");
}

// What `cutd eval run` costs after the run.
std::string pairs_text(const RunPlan& plan) {
  if (!plan.pairs) return "";
  const PlannedPairs& pairs = *plan.pairs;
  return fmt::format(
      "pairs      {} calls of {} (cutd eval run) on one model's answers to the report set: about {:.2f} $, at most "
      "{:.2f} $, within pairwise.max_usd of {:.2f} $; with the run about {:.2f} $, at most {:.2f} $\n",
      pairs.calls, pairs.evaluator, pairs.likely_usd, pairs.most_usd, pairs.cap_usd, plan.likely_usd + pairs.likely_usd,
      plan.most_usd + pairs.most_usd);
}

std::string gib(std::int64_t bytes) { return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1U << 30)); }

}  // namespace

RunPlan plan_run(const RunConfig& config, const ModelConfig& model, const InstructionSets& sets,
                 const PlanAssumptions& assumed, const PlanExtras& extras) {
  RunPlan plan;
  plan.assumed = assumed;
  plan_counts(config, sets, extras, plan);
  plan_cost(config, sets, plan);
  plan_memory(config, model, plan);
  plan_time(config, sets, plan);
  return plan;
}

Json run_plan_json(const RunPlan& plan) {
  return {
      {"rounds", plan.rounds},
      {"responses",
       {{"train", plan.train_responses},
        {"gate", plan.gate_responses},
        {"report", plan.report_responses},
        {"all", plan.responses}}},
      {"canaries", plan.canaries},
      {"judge_calls", plan.judge_calls},
      {"upper_bound", plan.fewer_calls},
      {"cost",
       {{"paid", plan.paid}, {"likely_usd", plan.likely_usd}, {"most_usd", plan.most_usd}, {"cap_usd", plan.cap_usd}}},
      {"pairwise", pairs_json(plan.pairs)},
      {"memory",
       {{"parameters", plan.parameters},
        {"weight_bytes", plan.weight_bytes},
        {"cache_bytes", plan.cache_bytes},
        {"training_bytes", plan.training_bytes}}},
      {"seconds",
       {{"generation", plan.generation_seconds},
        {"judging", plan.judging_seconds},
        {"training", plan.training_seconds}}},
      {"assumed",
       {{"response_tokens", plan.assumed.response_tokens},
        {"judgment_tokens", plan.assumed.judgment_tokens},
        {"judge_seconds", plan.assumed.judge_seconds},
        {"gpu", plan.assumed.gpu},
        {"generation_tokens_per_second", plan.assumed.generation_tokens_per_second},
        {"training_tokens_per_second", plan.assumed.training_tokens_per_second}}}};
}

std::string run_plan_text(const RunPlan& plan) {
  std::string text = fmt::format(
      "rounds     at most {}\n"
      "responses  {} to train on, {} of the gate set, {} of the report set: {} in all\n",
      plan.rounds, plan.train_responses, plan.gate_responses, plan.report_responses, plan.responses);
  text += calls_text(plan);
  text += plan.paid
              ? fmt::format("cost       about {:.2f} $, at most {:.2f} $; nothing beyond the cap of {:.2f} $ is sent\n",
                            plan.likely_usd, plan.most_usd, plan.cap_usd)
              : "cost       none: no annotator has a price\n";
  text += pairs_text(plan);
  text += fmt::format("memory     {} weights, {} cache of a full batch, {} more in training\n", gib(plan.weight_bytes),
                      gib(plan.cache_bytes), gib(plan.training_bytes));
  text += fmt::format("time       about {} of generation, {} of judging beside it, {} of training\n",
                      format_duration(plan.generation_seconds), format_duration(plan.judging_seconds),
                      format_duration(plan.training_seconds));
  text += fmt::format(
      "assumed    {} tokens a response, {} a judgment, {:.0f} s a judge call, {:.0f} tokens/s generated and {:.0f} "
      "trained "
      "on {}\n",
      plan.assumed.response_tokens, plan.assumed.judgment_tokens, plan.assumed.judge_seconds,
      plan.assumed.generation_tokens_per_second, plan.assumed.training_tokens_per_second,
      plan.assumed.gpu ? "a GPU (an H100's data sheet, not measured)" : "the CPU");
  return text;
}

}  // namespace cutd
