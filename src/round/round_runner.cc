#include "round/round_runner.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"
#include "core/random.h"
#include "round/adapter_files.h"
#include "round/anchors.h"
#include "round/canaries.h"
#include "round/generation_work.h"
#include "round/run_commands.h"
#include "round/start_point.h"
#include "round/training_work.h"
#include "store/adapters.h"
#include "store/instructions.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr std::int64_t kMaxConflicts = 100;

std::string score_words(const EvaluationSummary& summary) {
  const Share& share = summary.share;
  const std::string missing = summary.missing > 0 ? fmt::format(", {} without a judgment", summary.missing) : "";
  return fmt::format("{:.1f} % satisfactory (95 % interval {:.1f} to {:.1f}, {} instructions{})", 100 * share.value,
                     100 * share.interval.low, 100 * share.interval.high, share.count, missing);
}

}  // namespace

struct RoundRunner::Scene {
  Run run;
  const FrozenRun& frozen;     // the runner's
  std::optional<Round> round;  // the open one
  std::optional<RoundModels> round_models;
  RunModels run_models;
  RoundSnapshot round_snapshot;
  RunSnapshot run_snapshot;
};

RoundRunner::RoundRunner(Store& store, Engine& engine, ProgressBoard& board, RoundRunnerOptions options,
                         const Clock& clock, Logger& logger)
    : store_(store), engine_(engine), board_(board), options_(std::move(options)), clock_(clock), logger_(logger) {}

StepResult RoundRunner::step(RunId run, std::stop_token stop) {
  if (stop.stop_requested()) return StepResult::kIdle;
  const Scene scene = read_scene(run);
  if (scene.run.state != RunState::kActive) return StepResult::kIdle;
  Action action = scene.round ? decide(scene.round_snapshot) : decide_run(scene.run_snapshot);
  if (scene.round && std::holds_alternative<action::Idle>(action)) action = decide_run(scene.run_snapshot);
  try {
    const StepResult result = try_action(scene, action, stop);
    conflicts_ = 0;
    return result;
  } catch (const Error& error) {
    // Someone else (a command, a judge) moved the round first. Looking again settles that; what it does not
    // settle is a bug.
    if (error.code() != ErrorCode::kConflict || ++conflicts_ > kMaxConflicts) throw;
    return StepResult::kWorked;
  }
}

StepResult RoundRunner::try_action(const Scene& scene, const Action& action, std::stop_token stop) {
  try {
    return perform(scene, action, stop);
  } catch (const Error& error) {
    return handle_failure(scene, action, error);
  } catch (const std::filesystem::filesystem_error& error) {
    const bool full = error.code() == std::errc::no_space_on_device;
    return handle_failure(scene, action, Error(full ? ErrorCode::kResource : ErrorCode::kIo, error.what()));
  } catch (const std::exception& error) {
    return handle_failure(scene, action, Error(ErrorCode::kInternal, error.what()));
  }
}

const FrozenRun& RoundRunner::frozen_of(const Run& run) {
  const auto at = frozen_.find(run.id);
  return at != frozen_.end() ? at->second : frozen_.emplace(run.id, frozen_run_of(run)).first->second;
}

RoundRunner::Scene RoundRunner::read_scene(RunId id) {
  const std::string data_dir = store_.data_dir().string();
  return store_.read([&](Reader& reader) {
    const std::optional<Run> run = find_run(reader, id);
    if (!run) throw Error(ErrorCode::kNotFound, "no run " + std::to_string(id.value));
    Scene scene{*run, frozen_of(*run), {}, {}, {}, {}, {}};
    scene.run_models = read_run_models(reader, scene.frozen, id, data_dir);
    scene.run_snapshot = read_run_snapshot(reader, scene.frozen, *run, scene.run_models, clock_.wall_micros());
    if (!scene.run_snapshot.open_round) return scene;
    scene.round = find_round(reader, *scene.run_snapshot.open_round);
    scene.round_models = read_round_models(reader, scene.frozen, *scene.round, data_dir);
    scene.round_snapshot = read_round_snapshot(reader, scene.frozen, *scene.round, *scene.round_models);
    scene.round_snapshot.disk_low = disk_low(scene.frozen);
    return scene;
  });
}

StepResult RoundRunner::perform(const Scene& scene, const Action& action, std::stop_token stop) {
  if (std::holds_alternative<action::Idle>(action)) return StepResult::kIdle;
  ProgressSnapshot activity;
  activity.run = scene.run.id;
  activity.round = scene.round ? scene.round->id : RoundId{};
  activity.round_number = scene.round ? scene.round->number : 0;
  activity.round_count = scene.run.round_count;
  const auto context = [&] {
    return WorkContext{store_, engine_, board_, scene.frozen, text_of(scene.frozen), stop, activity};
  };

  if (std::holds_alternative<action::PlanRound>(action)) {
    WorkContext work = context();
    plan_round(scene, work);
  } else if (std::holds_alternative<action::PlanCanaries>(action)) {
    WorkContext work = context();
    plan_canaries(work, *scene.round);
  } else if (std::holds_alternative<action::PlanAnchors>(action)) {
    WorkContext work = context();
    plan_anchors(work, *scene.round, scene.round_models->parent.key);
  } else if (const auto* generate = std::get_if<action::Generate>(&action)) {
    WorkContext work = context();
    check_parent(scene.round_models->parent.model);
    generate_unit(work, scene.round->id, generate->unit, scene.round_models->parent.model, "generating");
  } else if (std::holds_alternative<action::AwaitJudgments>(action)) {
    return StepResult::kWaiting;
  } else if (std::holds_alternative<action::FreezeManifest>(action) || std::holds_alternative<action::Train>(action) ||
             std::holds_alternative<action::PublishCumulative>(action)) {
    WorkContext work = context();
    perform_training(scene, action, work);
  } else if (std::holds_alternative<action::PlanEvaluation>(action) ||
             std::holds_alternative<action::GenerateEvaluation>(action) ||
             std::holds_alternative<action::AwaitEvaluationJudgments>(action) ||
             std::holds_alternative<action::ScoreEvaluation>(action) ||
             std::holds_alternative<action::FinishEvaluation>(action)) {
    WorkContext work = context();
    if (perform_evaluation(scene, action, work) == StepResult::kWaiting) return StepResult::kWaiting;
  } else {
    return perform_change(scene, action);
  }
  forget_failures(scene, action);
  return StepResult::kWorked;
}

void RoundRunner::forget_failures(const Scene& scene, const Action& action) {
  if (!scene.round) {
    run_failures_.erase(scene.run.id);
    return;
  }
  const RoundId round = scene.round->id;
  const std::string work = work_name(action);
  if (store_.read([&](Reader& reader) { return count_unit_failures(reader, round, work); }) == 0) return;
  store_.write([&](Writer& writer) { clear_unit_failures(writer, round, work); });
}

// A damaged adapter must not generate or train anything (reliability P5). Once per process: nothing here
// writes into a published folder.
void RoundRunner::check_parent(const ModelReference& model) {
  if (!model.adapter || checked_.contains(model.adapter->id)) return;
  check_adapter(store_.data_dir(), *model.adapter);
  checked_.insert(model.adapter->id);
}

void RoundRunner::check_model(const Scene& scene, Subject subject) {
  const ModelReference& model = target_of(scene, subject).model;
  if (subject != Subject::kCandidate || checked_.contains(model.adapter->id)) return check_parent(model);
  check_own_adapter(store_, *model.adapter);
  checked_.insert(model.adapter->id);
}

StepResult RoundRunner::perform_evaluation(const Scene& scene, const Action& action, WorkContext& context) {
  if (const auto* plan = std::get_if<action::PlanEvaluation>(&action)) {
    plan_evaluation(context, target_of(scene, plan->subject));
  } else if (const auto* generate = std::get_if<action::GenerateEvaluation>(&action)) {
    const EvaluationTarget& target = target_of(scene, generate->subject);
    check_model(scene, generate->subject);
    const std::optional<Evaluation> evaluation =
        store_.read([&](Reader& reader) { return find_evaluation(reader, target.key); });
    generate_unit(context, evaluation->id, generate->unit, target.model, activity_name(scene, generate->subject));
  } else if (const auto* score = std::get_if<action::ScoreEvaluation>(&action)) {
    score_evaluation(context, target_of(scene, score->subject), "scoring the responses");
  } else if (const auto* finish = std::get_if<action::FinishEvaluation>(&action)) {
    finish_evaluation(context, target_of(scene, finish->subject));
    const auto summary = store_.read(
        [&](Reader& reader) { return find_evaluation(reader, target_of(scene, finish->subject).key)->summary; });
    board_.say(activity_name(scene, finish->subject) + ": " + score_words(evaluation_summary_of(summary)));
  } else {
    return StepResult::kWaiting;
  }
  return StepResult::kWorked;
}

void RoundRunner::perform_training(const Scene& scene, const Action& action, WorkContext& context) {
  const ModelReference& parent = scene.round_models->parent.model;
  if (std::holds_alternative<action::FreezeManifest>(action)) {
    freeze_round_manifest(context, *scene.round, parent);
  } else if (std::holds_alternative<action::Train>(action)) {
    check_parent(parent);
    train_and_publish(context, *scene.round, parent);
  } else {
    check_parent(parent);
    publish_cumulative(context, *scene.round, parent);
  }
}

// Actions that only move a round or a run.
StepResult RoundRunner::perform_change(const Scene& scene, const Action& action) {
  const auto write = [&](auto command) { store_.write([&](Writer& writer) { command(writer); }); };
  if (const auto* advance = std::get_if<action::Advance>(&action)) {
    write([&](Writer& writer) { advance_round(writer, scene.round->id, advance->from, advance->to, advance->why); });
    board_.say(fmt::format("round {}: {}", scene.round->number, advance->why));
  } else if (const auto* accepted = std::get_if<action::Promote>(&action)) {
    promote(scene, accepted->why);
  } else if (const auto* reject = std::get_if<action::Reject>(&action)) {
    write([&](Writer& writer) { reject_round(writer, scene.round->id, reject->why); });
    board_.say(fmt::format("round {} rejected: {}", scene.round->number, reject->why));
    std::filesystem::remove_all(checkpoint_folder(store_.data_dir(), scene.round->id));
  } else if (const auto* pause = std::get_if<action::Pause>(&action)) {
    write([&](Writer& writer) { pause_round(writer, scene.round->id, scene.round->phase, pause->reason); });
    board_.say(fmt::format("round {} paused: {}", scene.round->number, pause->reason));
    disk_wait_until_ = clock_.boot_millis() + options_.disk_retry.count();
  } else if (const auto* hold = std::get_if<action::Hold>(&action)) {
    write([&](Writer& writer) { pause_run(writer, scene.run.id, hold->reason); });
    board_.say(fmt::format("round {} held, {}", scene.round->number, hold->reason));
    logger_.warning(
        fmt::format("round {} of run {} is held: {}", scene.round->number, scene.run.id.value, hold->reason));
  } else if (const auto* resume = std::get_if<action::Resume>(&action)) {
    write([&](Writer& writer) { resume_round(writer, scene.round->id, resume->why); });
    disk_wait_until_ = 0;
  } else if (const auto* fail = std::get_if<action::Fail>(&action)) {
    if (!scene.round) {
      finish_run(scene, RunState::kFailed, fail->reason);
    } else {
      write([&](Writer& writer) { fail_round(writer, scene.round->id, scene.round->phase, fail->reason); });
    }
  } else if (std::holds_alternative<action::StartRound>(action)) {
    start_round(scene);
  } else if (const auto* complete = std::get_if<action::CompleteRun>(&action)) {
    finish_run(scene, RunState::kCompleted, complete->why);
  } else if (const auto* failed = std::get_if<action::FailRun>(&action)) {
    finish_run(scene, RunState::kFailed, failed->reason);
  }
  return StepResult::kWorked;
}

void RoundRunner::plan_round(const Scene& scene, WorkContext& context) {
  const DataConfig& data = scene.frozen.config.data;
  const std::vector<Instruction> drawn = store_.read([&](Reader& reader) {
    const RunLimits& limits = scene.frozen.config.limits;
    return draw_instructions(reader, scene.run.id, data.instructions_per_round, limits.seed,
                             spares_used_instructions(limits.start_from));
  });
  const std::vector<NewUnit> units = make_units(drawn, data.responses_per_instruction, scene.frozen.config.generation,
                                                context.text, "round " + std::to_string(scene.round->number));
  store_.write([&](Writer& writer) { plan_units(writer, scene.round->id, Split::kTrain, units); });
  fault::point("plan.after_units");
}

void RoundRunner::start_round(const Scene& scene) {
  const std::optional<Adapter> parent = store_.read([&](Reader& reader) {
    const std::optional<AdapterId> serving = serving_adapter(reader, scene.run.id);
    return serving ? find_adapter(reader, *serving) : std::nullopt;
  });
  if (parent) check_adapter(store_.data_dir(), *parent);
  store_.write([&](Writer& writer) {
    create_round(writer, {scene.run.id, serving_adapter(writer, scene.run.id), run_config_json(scene.frozen.config)});
  });
}

void RoundRunner::promote(const Scene& scene, const std::string& why) {
  const std::optional<Adapter> adapter =
      store_.read([&](Reader& reader) { return find_adapter(reader, scene.round->id, AdapterKind::kCumulative); });
  check_own_adapter(store_, *adapter);
  fault::point("promote.before_commit");
  store_.write([&](Writer& writer) { promote_round(writer, scene.round->id, scene.round->parent, adapter->id, why); });
  fault::point("promote.after_commit");
  board_.say(fmt::format("round {} promoted: {}", scene.round->number, why));
  std::filesystem::remove_all(checkpoint_folder(store_.data_dir(), scene.round->id));
}

void RoundRunner::finish_run(const Scene& scene, RunState state, const std::string& why) {
  fault::point("run.before_complete");
  store_.write([&](Writer& writer) { move_run(writer, scene.run.id, RunState::kActive, state, why); });
  board_.say(fmt::format("run {} {}: {}", scene.run.id.value, name_of(state), why));
  board_.idle();
}

StepResult RoundRunner::handle_failure(const Scene& scene, const Action& action, const Error& error) {
  const bool no_room = std::string(error.what()).find("No space left") != std::string::npos || disk_low(scene.frozen);
  const std::string work = work_name(action);
  const std::string reason = work + ": " + error.what();
  // The first look decides whether this counts at all.
  AfterFailure after = after_failure(error.code(), no_room, 1);
  if (after == AfterFailure::kStopDaemon) throw error;
  if (after == AfterFailure::kLookAgain && error.code() == ErrorCode::kConflict) throw error;
  if (after == AfterFailure::kLookAgain) return StepResult::kIdle;
  logger_.warning(reason);
  board_.say("failed, " + reason);
  if (!scene.round) {
    after = after_failure(error.code(), no_room, ++run_failures_[scene.run.id]);
    if (after == AfterFailure::kPauseDisk) disk_wait_until_ = clock_.boot_millis() + options_.disk_retry.count();
    if (after == AfterFailure::kPauseDisk) return StepResult::kIdle;
    if (after == AfterFailure::kFailRound) finish_run(scene, RunState::kFailed, reason);
    return StepResult::kWorked;
  }
  const Round& round = *scene.round;
  store_.write([&](Writer& writer) {
    if (after == AfterFailure::kPauseDisk) {
      pause_round(writer, round.id, round.phase, "disk: " + reason);
      return;
    }
    after = after_failure(error.code(), no_room, record_unit_failure(writer, round.id, work, error.what()));
    if (after == AfterFailure::kFailRound) fail_round(writer, round.id, round.phase, reason);
  });
  if (after == AfterFailure::kPauseDisk) disk_wait_until_ = clock_.boot_millis() + options_.disk_retry.count();
  if (after == AfterFailure::kFailRound && std::holds_alternative<action::Train>(action)) {
    // What a training cannot go on from must not stand in the way of a retry, which starts from its first step.
    std::filesystem::remove_all(checkpoint_folder(store_.data_dir(), round.id));
  }
  return StepResult::kWorked;
}

bool RoundRunner::disk_low(const FrozenRun& frozen) const {
  if (clock_.boot_millis() < disk_wait_until_) return true;
  const auto floor = static_cast<std::uintmax_t>(frozen.config.limits.min_free_disk_mb) << 20;
  return options_.free_disk(store_.data_dir()) < floor;
}

const RunText& RoundRunner::text_of(const FrozenRun& frozen) {
  const std::string key = frozen.model_dir + "\n" + frozen.template_version;
  const auto found = texts_.find(key);
  if (found != texts_.end()) return found->second;
  return texts_.emplace(key, options_.text(frozen.model_dir, frozen.config.prompt_template)).first->second;
}

const EvaluationTarget& RoundRunner::target_of(const Scene& scene, Subject subject) const {
  switch (subject) {
    case Subject::kBaseline: return scene.round_models->untrained;
    case Subject::kParent: return scene.round_models->parent;
    case Subject::kCandidate: return *scene.round_models->candidate;
    case Subject::kUntrained: return scene.run_models.untrained;
    default: return scene.run_models.kept;
  }
}

std::string RoundRunner::activity_name(const Scene& scene, Subject subject) const {
  switch (subject) {
    case Subject::kBaseline: return "evaluating the untrained model";
    case Subject::kParent:
      return scene.round_models->parent.model.is_base ? "evaluating the untrained model" : "evaluating the parent";
    case Subject::kCandidate: return fmt::format("evaluating round {}", scene.round->number);
    case Subject::kUntrained: return "final report, untrained model";
    default: return "final report, kept model";
  }
}

}  // namespace cutd
