#include "round/run_start.h"

#include <fmt/format.h>

#include <map>

#include "core/error.h"
#include "core/files.h"
#include "judge_client/llm_annotator.h"
#include "round/canaries.h"
#include "round/engine_judge.h"
#include "round/people.h"
#include "round/quorum.h"
#include "round/start_point.h"
#include "round/starting_caps.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/runs.h"
#include "weights/fingerprint.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

std::vector<NewInstruction> new_instructions(const std::vector<Instruction>& set) {
  std::vector<NewInstruction> rows;
  rows.reserve(set.size());
  for (const Instruction& instruction : set)
    rows.push_back({instruction.text, instruction.input, instruction.reference});
  return rows;
}

// Ids of the training instructions that this data folder does not hold out.
std::vector<InstructionId> train_ids(Reader& reader, const std::vector<Instruction>& set, const DataConfig& data) {
  std::map<std::string, InstructionId> known;
  for (const Instruction& instruction : list_instructions(reader, Split::kTrain))
    known.emplace(instruction.hash, instruction.id);
  std::vector<InstructionId> ids;
  for (const Instruction& instruction : set) {
    if (const auto found = known.find(instruction.hash); found != known.end()) ids.push_back(found->second);
  }
  if (ids.size() < static_cast<std::size_t>(data.instructions_per_round)) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("data.train: {} of the {} instructions of {} are held out in this data folder, a round needs {}",
                    set.size() - ids.size(), set.size(), data.train, data.instructions_per_round));
  }
  return ids;
}

// Ids of the first `count` (0: all) of a held-out set. The store must agree that they are held out for this
// very purpose: an instruction that trained a model in this data folder can never measure one.
std::vector<InstructionId> held_out_ids(Reader& reader, const std::vector<Instruction>& set, Split split,
                                        std::int64_t count) {
  std::map<std::string, InstructionId> known;
  for (const Instruction& instruction : list_instructions(reader, split))
    known.emplace(instruction.hash, instruction.id);
  std::vector<InstructionId> ids;
  for (const Instruction& instruction : set) {
    if (count > 0 && ids.size() == static_cast<std::size_t>(count)) break;
    const auto found = known.find(instruction.hash);
    if (found == known.end()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("data.{}: \"{}\" has another use in this data folder (it was trained on, or belongs to "
                              "the other held-out set); take it out or use another --data-dir",
                              name_of(split), instruction.text));
    }
    ids.push_back(found->second);
  }
  return ids;
}

void check_references(const RunConfig& config, const InstructionSets& sets, const std::vector<CanaryRow>& canaries) {
  for (const AnnotatorConfig& annotator : config.annotators) {
    if (!asks_a_model(annotator) || !wants_reference(prompt_of(annotator.llm, "llm.prompt"))) continue;
    const std::string who = "annotator " + annotator.name;
    require_references(sets, config.data, who);
    for (const CanaryRow& canary : canaries) {
      if (canary.instruction.reference.empty()) refuse_without_reference(canary.place, who);
    }
  }
}

std::string set_hash(const std::vector<Instruction>& set, std::size_t count) {
  std::vector<std::string> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(set[i].hash);
  return instruction_set_hash(std::move(hashes));
}

NewRun new_run(const FrozenRun& frozen) {
  const RunLimits& limits = frozen.config.limits;
  NewRun run;
  run.config = frozen_run_json(frozen);
  run.base_model_hash = frozen.base_hash;
  run.start = frozen.start;
  run.round_count = limits.rounds;
  run.patience = limits.patience;
  if (limits.budget_usd > 0) run.budget = micros_of(limits.budget_usd);
  if (const std::int64_t end = parse_end_time(limits.end_time, "run.end_time"); end > 0) run.ends_at = end;
  return run;
}

}  // namespace

RunId start_run(Store& store, const RunConfig& config, const FileReader& files, const RunTextReader& text,
                Logger& logger, const std::optional<CycleOrigin>& cycle) {
  FrozenRun frozen;
  frozen.cycle = cycle;
  frozen.config = with_guidelines(config, files);
  std::vector<std::vector<GoldItem>> gold;  // of each annotator
  for (const AnnotatorConfig& annotator : frozen.config.annotators) gold.push_back(read_gold(annotator, files));
  for (AnnotatorConfig& annotator : frozen.config.annotators) {
    if (asks_engine(annotator)) annotator.llm = with_model(annotator.llm, store.data_dir());
  }
  frozen.model_dir = fs::absolute(find_model(config.model, store.data_dir())).lexically_normal().string();
  const InstructionSets sets = read_instruction_sets(config.data, files);
  if (sets.held_out_in_train > 0) {
    logger.warning(fmt::format("{} instructions of {} are held out and will not train", sets.held_out_in_train,
                               config.data.train));
  }
  std::vector<CanaryRow> canaries;
  if (!config.alarms.canaries.empty()) canaries = parse_canaries(files(config.alarms.canaries), config.alarms.canaries);
  check_references(frozen.config, sets, canaries);
  frozen.template_version = text(frozen.model_dir, config.prompt_template).prompts.version();
  frozen.base_hash = model_fingerprint(frozen.model_dir);
  const std::optional<Adapter> start = require_start(store, config.limits.start_from, frozen.base_hash);
  if (start) frozen.start = start->id;
  std::vector<std::string> notes;
  const RunId id = store.write([&](Writer& writer) {
    import_instructions(writer, new_instructions(sets.gate), Split::kGate, config.data.gate);
    import_instructions(writer, new_instructions(sets.report), Split::kReport, config.data.report);
    frozen.canaries = hold_out_canaries(writer, canaries, config.alarms.canaries);
    import_instructions(writer, new_instructions(sets.train), Split::kTrain, config.data.train);
    frozen.gate = held_out_ids(writer, sets.gate, Split::kGate, config.data.gate_count);
    frozen.report = held_out_ids(writer, sets.report, Split::kReport, config.data.report_count);
    frozen.gate_hash = set_hash(sets.gate, frozen.gate.size());
    frozen.report_hash = set_hash(sets.report, frozen.report.size());
    frozen.annotator = ensure_annotators(writer, frozen.config);
    const std::vector<AnnotatorId> members = working_annotators(writer, frozen.annotator);
    for (std::size_t i = 0; i < members.size(); ++i) add_gold(writer, members[i], gold[i]);
    notes = set_starting_caps(writer, frozen.config);
    NewRun run = new_run(frozen);
    run.train = train_ids(writer, sets.train, config.data);
    return create_run(writer, run);
  });
  if (start) logger.info(fmt::format("run {} builds on {}", id.value, start->path));
  for (const std::string& note : notes) logger.info(note);
  return id;
}

fs::path find_model(const std::string& model, const fs::path& data_dir) {
  if (model.empty()) {
    throw Error(ErrorCode::kUsage,
                "key \"model\" is missing: name a Hugging Face folder, or a model made by `cutd model import`");
  }
  if (fs::exists(fs::path(model) / "config.json")) return model;
  const fs::path imported = data_dir / "models" / model;
  if (fs::exists(imported / "config.json")) return imported;
  throw Error(ErrorCode::kNotFound, "there is no model \"" + model + "\": neither a folder with a config.json nor " +
                                        imported.string() + "; import one with `cutd model import`");
}

}  // namespace cutd
