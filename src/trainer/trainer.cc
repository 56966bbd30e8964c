#include "trainer/trainer.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/fault.h"
#include "core/random.h"
#include "model/device.h"
#include "trainer/checkpoint.h"
#include "trainer/optimiser.h"
#include "trainer/schedule.h"
#include "trainer/training_output.h"
#include "trainer/training_step.h"
#include "weights/fingerprint.h"

namespace cutd {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

void say(const TrainingEvents& events, const std::string& message) {
  if (events.on_message) events.on_message(message);
}

std::string describe_set(const TrainingSet& set, const TrainingPlan& plan) {
  std::string text = std::to_string(set.examples.size()) + " examples (" + std::to_string(set.satisfactory) +
                     " satisfactory, " + std::to_string(set.criticised) + " criticised";
  if (set.drawn_out > 0) text += "; " + std::to_string(set.drawn_out) + " left out by down-sampling";
  if (set.skipped > 0) text += "; " + std::to_string(set.skipped) + " too long";
  return text + "), " + std::to_string(plan.last_step) + " steps";
}

// Keys that change neither the loss nor, but for rounding, the result: a resumed training may have others.
constexpr const char* kExecutionKeys[] = {"max_steps", "save_steps", "pack_tokens", "recompute_layers"};

// The identity of a training: equal work ends with equal adapters.
Json describe_work(const Policy& policy, const TrainingJob& job, const TrainingSet& set, const std::string& base_hash,
                   const std::optional<PeftAdapter>& init) {
  TrainConfig config = job.config;
  PromptTemplateConfig prompts = job.prompts;
  OptionTable table;
  declare_train_options(table, config);
  if (!set.from_manifest) declare_template_options(table, prompts);
  Json work = table.effective();
  for (const char* key : kExecutionKeys) work["train"].erase(key);
  work["data_sha256"] = set.sha256;
  work["base_model_hash"] = base_hash;
  work["parent_adapter"] = policy.adapter_identity();
  work["init_adapter"] = init ? adapter_hash(*init) : "";
  return work;
}

Json describe_machine(const Policy& policy) {
  return {
      {"device", device_name(policy.weights().device)}, {"cpu", cpu_description()}, {"threads", at::get_num_threads()}};
}

// Where to go on from; nothing for a fresh start.
std::optional<Checkpoint> resume_point(const TrainingJob& job, const ModelConfig& model, const Json& work,
                                       const Json& machine, const TrainingEvents& events) {
  if (job.checkpoint_dir.empty()) return std::nullopt;
  if (!job.resume) {
    if (!has_checkpoints(job.checkpoint_dir)) return std::nullopt;
    throw Error(ErrorCode::kConflict,
                job.checkpoint_dir.string() +
                    " holds the checkpoints of an unfinished training: go on with it (--resume) or remove them");
  }
  FoundCheckpoint found = find_checkpoint(job.checkpoint_dir, model);
  for (const std::string& message : found.messages) say(events, message);
  if (!found.checkpoint) return std::nullopt;
  const CheckpointState& state = found.checkpoint->state;
  if (const std::string other = describe_differences(state.work, work); !other.empty()) {
    throw Error(ErrorCode::kConflict, job.checkpoint_dir.string() + " belongs to another training, which differs in " +
                                          other + ": remove it or restore these");
  }
  say(events, "going on from the checkpoint of step " + std::to_string(state.step));
  if (const std::string other = describe_differences(state.machine, machine); !other.empty()) {
    say(events,
        "the checkpoint was made on another machine setting: " + other + "; the result may differ in its last bits");
  }
  return std::move(found.checkpoint);
}

std::optional<PeftAdapter> read_init_adapter(const TrainingJob& job, const ModelConfig& model,
                                             const std::string& base_hash) {
  if (job.init_adapter_dir.empty()) return std::nullopt;
  PeftAdapter adapter = read_adapter(job.init_adapter_dir, model);
  check_adapter_base(adapter, base_hash, job.init_adapter_dir.string());
  return adapter;
}

// Of a checkpoint or an adapter, or fresh ones.
std::unique_ptr<TrainableLora> make_lora(const DecoderWeights& weights, const TrainConfig& config,
                                         const PeftAdapter* values) {
  if (values != nullptr)
    return std::make_unique<TrainableLora>(weights.config, *values, config.lora.dropout, weights.dtype, weights.device);
  const std::int64_t seed = derive_seed(config.seed, "initial values of the LoRA");
  return std::make_unique<TrainableLora>(weights.config, config.lora, static_cast<std::uint64_t>(seed), weights.dtype,
                                         weights.device);
}

void check_finite(double value, const char* what, std::int64_t step) {
  if (std::isfinite(value)) return;
  throw Error(ErrorCode::kUsage, "step " + std::to_string(step + 1) + ": the " + what + " is " + std::to_string(value) +
                                     ": the training diverged; lower train.learning_rate or train.max_grad_norm");
}

// What stays as it is while a training runs.
struct Task {
  const TrainConfig& config;
  const TrainingSet& set;
  const TrainingPlan& plan;
  const TrainingEvents& events;
};

// What changes.
class Training {
 public:
  Training(const DecoderWeights& weights, const Task& task, std::unique_ptr<TrainableLora> lora)
      : config_(task.config),
        set_(task.set),
        plan_(task.plan),
        events_(task.events),
        lora_(std::move(lora)),
        optimiser_(task.config, lora_->parameters()),
        runner_(weights, *lora_, task.config) {}

  // Goes on from a checkpoint whose adapter the constructor was given.
  void restore(const Checkpoint& start) {
    if (start.mean.numel() != lora_->parameters().numel() || start.square_mean.numel() != lora_->parameters().numel()) {
      throw Error(ErrorCode::kBadInput, "the checkpoint's optimiser state does not fit its adapter");
    }
    step_ = first_step_ = start.state.step;
    totals_ = start.state.totals;
    optimiser_.restore(start.mean, start.square_mean, step_);
    runner_.limit_packs(start.state.pack_tokens);
  }

  std::int64_t steps_done() const { return step_; }
  const TrainingTotals& totals() const { return totals_; }
  const TrainableLora& lora() const { return *lora_; }

  // One optimiser step. After an error everything is as after the step before.
  StepReport do_step(const std::stop_token& stop) {
    const SteadyClock::time_point start = SteadyClock::now();
    std::vector<StepExample> examples;
    for (const std::size_t i : examples_of_step(config_, plan_, step_)) {
      examples.push_back({&set_.examples[i], static_cast<std::uint32_t>(i)});
    }
    StepHooks hooks{stop, {}, events_.on_message};
    if (events_.on_work) hooks.on_pack = [this] { events_.on_work(step_, plan_.last_step); };
    const StepOutcome outcome = runner_.run(examples, step_, hooks);
    check_finite(outcome.loss, "loss", step_);
    StepReport report;
    report.grad_norm = clip_gradients(lora_->gradients(), config_.max_grad_norm);
    check_finite(report.grad_norm, "gradient", step_);
    report.learning_rate = learning_rate(config_, plan_, step_);
    optimiser_.step(lora_->parameters(), lora_->gradients(), report.learning_rate);
    lora_->refresh();
    ++step_;
    account(outcome, seconds_since(start), report);
    return report;
  }

  Checkpoint checkpoint(const Json& work, const Json& machine) const {
    return {{step_, runner_.pack_tokens(), totals_, work, machine},
            lora_->to_adapter(),
            optimiser_.mean().to(at::kCPU),
            optimiser_.square_mean().to(at::kCPU)};
  }

  Json metrics() const {
    const double steps = static_cast<double>(std::max<std::int64_t>(1, step_));
    return {{"loss", totals_.loss / steps},
            {"detected_fraction", totals_.detected_fraction / steps},
            {"tokens", totals_.tokens},
            {"tokens_per_second", seconds_ > 0 ? static_cast<double>(tokens_) / seconds_ : 0},
            {"examples", set_.examples.size()},
            {"satisfactory", set_.satisfactory},
            {"criticised", set_.criticised},
            {"skipped", set_.skipped}};
  }

 private:
  void account(const StepOutcome& outcome, double seconds, StepReport& report) {
    seconds_ += seconds;
    tokens_ += outcome.tokens;
    totals_.loss += outcome.loss;
    totals_.detected_fraction += outcome.detected_fraction();
    totals_.tokens += outcome.tokens;
    totals_.last_loss = outcome.loss;
    report.step = step_;
    report.last_step = plan_.last_step;
    report.epoch = static_cast<double>(step_) / static_cast<double>(plan_.steps_per_epoch);
    report.loss = outcome.loss;
    report.tokens = outcome.tokens;
    report.detected_fraction = outcome.detected_fraction();
    report.likelihood = outcome.likelihood;
    report.unlikelihood = outcome.unlikelihood;
    report.tokens_per_second = seconds > 0 ? static_cast<double>(outcome.tokens) / seconds : 0;
    report.elapsed_seconds = seconds_;
    report.remaining_seconds =
        seconds_ / static_cast<double>(step_ - first_step_) * static_cast<double>(plan_.last_step - step_);
  }

  const TrainConfig& config_;
  const TrainingSet& set_;
  const TrainingPlan& plan_;
  const TrainingEvents& events_;
  const std::unique_ptr<TrainableLora> lora_;
  AdamW optimiser_;
  StepRunner runner_;
  std::int64_t step_ = 0;        // done
  std::int64_t first_step_ = 0;  // of this process
  TrainingTotals totals_;
  std::int64_t tokens_ = 0;  // of this process, as seconds_
  double seconds_ = 0;
};

TrainingResult result_of(const Training& training, const TrainingPlan& plan, std::int64_t resumed_from_step) {
  TrainingResult result;
  result.steps = training.steps_done();
  result.resumed_from_step = resumed_from_step;
  result.complete = training.steps_done() == plan.all_steps;
  result.final_loss = training.totals().last_loss;
  result.metrics = training.metrics();
  return result;
}

}  // namespace

Json step_json(const StepReport& report) {
  return {{"step", report.step},
          {"total_steps", report.last_step},
          {"epoch", report.epoch},
          {"loss", report.loss},
          {"learning_rate", report.learning_rate},
          {"grad_norm", report.grad_norm},
          {"tokens", report.tokens},
          {"detected_fraction", report.detected_fraction},
          {"likelihood", report.likelihood},
          {"unlikelihood", report.unlikelihood},
          {"tokens_per_second", report.tokens_per_second},
          {"elapsed_seconds", report.elapsed_seconds},
          {"remaining_seconds", report.remaining_seconds}};
}

TrainingResult train_round(const Policy& policy, const TrainingJob& job, std::stop_token stop,
                           const TrainingEvents& events) {
  const at::NoGradGuard no_grad;
  refuse_foreign_output(job.output_dir, job.resume);

  // What is trained, and how long.
  const std::string base_hash = model_fingerprint(policy.model_dir());
  const TrainingSet set = read_training_set({job.data, policy.model_dir(), job.prompts}, policy.config(), job.config);
  const TrainingPlan plan = plan_training(job.config, static_cast<std::int64_t>(set.examples.size()));
  const std::optional<PeftAdapter> init = read_init_adapter(job, policy.config(), base_hash);
  const Json work = describe_work(policy, job, set, base_hash, init);
  const Json machine = describe_machine(policy);
  if (const auto there = find_finished_output(job.output_dir, work, plan.last_step)) return *there;
  say(events, describe_set(set, plan));

  // From where.
  const std::optional<Checkpoint> start = resume_point(job, policy.config(), work, machine, events);
  const std::int64_t first_step = start ? start->state.step : 0;
  if (first_step > plan.last_step) {
    throw Error(ErrorCode::kUsage, "train.max_steps is " + std::to_string(plan.last_step) + " but " +
                                       std::to_string(first_step) + " steps are done already");
  }
  const PeftAdapter* values = start ? &start->adapter : init ? &*init : nullptr;
  Training training(policy.weights(), {job.config, set, plan, events}, make_lora(policy.weights(), job.config, values));
  if (start) training.restore(*start);
  std::int64_t saved_step = first_step;
  const auto save = [&] {
    if (job.checkpoint_dir.empty() || job.config.save_steps == 0 || saved_step == training.steps_done()) return;
    const std::filesystem::path folder = write_checkpoint(job.checkpoint_dir, training.checkpoint(work, machine));
    saved_step = training.steps_done();
    if (events.on_checkpoint) events.on_checkpoint(folder, saved_step);
  };

  // The steps.
  while (training.steps_done() < plan.last_step) {
    try {
      const StepReport report = training.do_step(stop);
      fault::point("train.after_step");
      if (events.on_step) events.on_step(report);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled) save();  // the steps that are whole are not done again
      throw;
    }
    if (job.config.save_steps > 0 && training.steps_done() % job.config.save_steps == 0) save();
  }
  if (plan.last_step < plan.all_steps) save();

  // The result.
  PeftAdapter adapter = training.lora().to_adapter();
  adapter.base_model_hash = base_hash;
  adapter.base_model_name_or_path = std::filesystem::absolute(policy.model_dir()).lexically_normal().string();
  const TrainingResult result = result_of(training, plan, first_step);
  publish_output(job.output_dir, adapter, work, result);
  return result;
}

}  // namespace cutd
