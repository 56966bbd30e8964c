#include "cutd/demo_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "round/frozen_run.h"
#include "round/read_snapshot.h"
#include "round/run_start.h"
#include "store/adapters.h"
#include "store/instructions.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/units.h"
#include "weights/fingerprint.h"

namespace cutd {
namespace {

constexpr const char* kWhy = "cutd demo was started again";

// What makes two runs the same experiment.
struct Experiment {
  Json config;  // without where the model lies
  std::string base_hash;
  std::string template_version;
  std::string gate_hash;
  std::string report_hash;
  std::vector<Instruction> train;
};

Json without_model(Json config) {
  config.erase("model");
  return config;
}

std::string held_out_hash(const std::vector<Instruction>& set, std::int64_t count) {
  std::vector<std::string> hashes;
  for (const Instruction& instruction : set) {
    if (count > 0 && hashes.size() == static_cast<std::size_t>(count)) break;
    hashes.push_back(instruction.hash);
  }
  return instruction_set_hash(std::move(hashes));
}

Experiment read_experiment(const RunConfig& config, const FileReader& files, const std::filesystem::path& data_dir,
                           const RunTextReader& text) {
  const std::filesystem::path model = find_model(config.model, data_dir);
  InstructionSets sets = read_instruction_sets(config.data, files);
  return {without_model(run_config_json(config)),
          model_fingerprint(model),
          text(model, config.prompt_template).prompts.version(),
          held_out_hash(sets.gate, config.data.gate_count),
          held_out_hash(sets.report, config.data.report_count),
          std::move(sets.train)};
}

bool is_same(const Run& run, const Experiment& experiment) {
  const FrozenRun frozen = frozen_run_of(run);
  return without_model(run_config_json(frozen.config)) == experiment.config &&
         frozen.base_hash == experiment.base_hash && frozen.template_version == experiment.template_version &&
         frozen.gate_hash == experiment.gate_hash && frozen.report_hash == experiment.report_hash;
}

// What a run may draw from is its own training file without what the folder holds out.
bool draws_the_same(Reader& reader, const Run& run, const std::vector<Instruction>& train) {
  std::set<std::string> expected;
  for (const Instruction& instruction : train) expected.insert(instruction.hash);
  for (const Split split : {Split::kGate, Split::kReport}) {
    for (const std::string& hash : list_instruction_hashes(reader, split)) expected.erase(hash);
  }
  const std::vector<std::string> drawn = list_instruction_hashes(reader, run.id);
  return std::equal(drawn.begin(), drawn.end(), expected.begin(), expected.end());
}

std::optional<Run> find_same_run(Reader& reader, const Experiment& experiment) {
  std::optional<Run> found;
  for (const Run& run : list_runs(reader)) {
    const bool over = run.state == RunState::kCompleted;
    if (run.state == RunState::kCancelled || !is_same(run, experiment) ||
        !draws_the_same(reader, run, experiment.train))
      continue;
    if (!over && !std::filesystem::exists(std::filesystem::path(frozen_run_of(run).model_dir) / "config.json"))
      continue;
    found = run;
  }
  return found;
}

std::string plural(std::int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string reuse_note(Reader& reader, const Run& run) {
  std::int64_t responses = 0;
  std::string where = "no round has begun";
  for (const Round& round : list_rounds(reader, run.id)) {
    responses += static_cast<std::int64_t>(list_responses(reader, round.id).size());
    where = fmt::format("round {} of {} is {}", round.number, run.round_count, name_of(round.phase));
  }
  std::int64_t evaluations = 0;
  for (const Evaluation& evaluation : list_evaluations(reader))
    evaluations += evaluation.state == EvaluationState::kDone ? 1 : 0;
  std::int64_t adapters = 0;
  for (const Adapter& adapter : list_adapters(reader, run.id))
    adapters += adapter.kind == AdapterKind::kCumulative ? 1 : 0;
  return fmt::format("going on with run {}: {}; reused: {} of its rounds, {}, {}", run.id.value, where,
                     plural(responses, "response"), plural(adapters, "adapter"), plural(evaluations, "evaluation"));
}

void wake(Store& store, RunService& runs, const Run& run) {
  if (run.state == RunState::kFailed) {
    for (const Round& round : store.read([&](Reader& reader) { return list_rounds(reader, run.id); })) {
      if (round.phase == Phase::kFailed) return runs.retry(round.id, kWhy);
    }
  }
  if (run.state != RunState::kActive) runs.resume(run.id, kWhy);
}

void pause_others(Store& store, RunService& runs, RunId own, DemoStart& start) {
  for (const Run& run : store.read([](Reader& reader) { return list_runs(reader, RunState::kActive); })) {
    if (run.id == own) continue;
    runs.pause(run.id, "another demo took the engine");
    start.notes.push_back(fmt::format("run {} of this folder is paused meanwhile", run.id.value));
  }
}

DemoStart continue_run(Store& store, RunService& runs, const Run& run) {
  DemoStart start{run.id, run.state == RunState::kCompleted, {}};
  if (start.finished) {
    start.notes.push_back(
        fmt::format("run {} with this configuration was completed before: everything is reused. Change the "
                    "configuration or choose another --data-dir for a new run.",
                    run.id.value));
    return start;
  }
  if (run.state == RunState::kFailed)
    start.notes.push_back(fmt::format("run {} had failed ({}) and is tried again", run.id.value, run.reason));
  start.notes.push_back(store.read([&](Reader& reader) { return reuse_note(reader, run); }));
  wake(store, runs, run);
  return start;
}

bool baseline_is_known(Reader& reader, RunId id, const std::string& data_dir) {
  const FrozenRun frozen = frozen_run_of(*find_run(reader, id));
  const ModelReference base = model_reference(frozen, std::nullopt, data_dir);
  const auto evaluation = find_evaluation(reader, evaluation_target(frozen, base, Split::kGate).key);
  return evaluation && evaluation->state == EvaluationState::kDone;
}

}  // namespace

DemoStart start_or_continue(Store& store, RunService& runs, const RunConfig& config, const FileReader& files,
                            const RunTextReader& text) {
  const Experiment experiment = read_experiment(config, files, store.data_dir(), text);
  const std::optional<Run> same = store.read([&](Reader& reader) { return find_same_run(reader, experiment); });
  DemoStart start;
  if (same) {
    start = continue_run(store, runs, *same);
    if (start.finished) return start;
  } else {
    start.run = runs.start(config, files);
    if (store.read([&](Reader& reader) { return baseline_is_known(reader, start.run, store.data_dir().string()); })) {
      start.notes.push_back("the untrained model's score on the gate set is known from an earlier run and reused");
    }
  }
  pause_others(store, runs, start.run, start);
  return start;
}

}  // namespace cutd
