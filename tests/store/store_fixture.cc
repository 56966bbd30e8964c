#include "store/store_fixture.h"

#include "core/files.h"
#include "core/hash.h"

namespace cutd {

void StoreTest::execute(const std::string& sql) {
  write([&](Writer& writer) { writer.database().run(sql); });
}

ImportCounts StoreTest::import(Split split, const std::vector<std::string>& texts) {
  std::vector<NewInstruction> instructions;
  for (const std::string& text : texts) instructions.push_back({text, ""});
  return write([&](Writer& writer) { return import_instructions(writer, instructions, split, "test"); });
}

InstructionId StoreTest::instruction(const std::string& text) {
  return read([&](Reader& reader) {
    return InstructionId{
        reader.database().integer("SELECT id FROM instruction WHERE hash = ?", instruction_hash(text, ""))};
  });
}

RunId StoreTest::new_run(const std::vector<std::string>& train) {
  std::vector<InstructionId> ids;
  for (const std::string& text : train) ids.push_back(instruction(text));
  return write([&](Writer& writer) {
    return create_run(
        writer, {.config = {{"rounds", 3}}, .base_model_hash = kHash, .round_count = 3, .patience = 2, .train = ids});
  });
}

RoundId StoreTest::new_round(RunId run) {
  return write([&](Writer& writer) {
    return create_round(writer, {.run = run, .parent = serving_adapter(writer, run), .config = {{"seed", 1}}});
  });
}

AnnotatorId StoreTest::annotator() {
  return write([](Writer& writer) {
    return ensure_annotator(writer, {.name = "editor", .version = "v1", .kind = "rule", .config = Json::object()});
  });
}

std::vector<UnitId> StoreTest::plan(UnitOwner owner, Split split, const std::vector<std::vector<std::string>>& units) {
  std::vector<NewUnit> planned;
  for (const auto& texts : units) {
    NewUnit unit;
    for (const std::string& text : texts) {
      unit.push_back({.instruction = instruction(text), .seed = 7, .prompt_ids = {1, 2, 3}});
    }
    planned.push_back(unit);
  }
  return write([&](Writer& writer) { return plan_units(writer, owner, split, planned); });
}

std::vector<ResponseId> StoreTest::answer(UnitId unit) {
  const auto samples = read([&](Reader& reader) { return list_samples(reader, unit); });
  std::vector<NewResponse> responses;
  for (const Sample& sample : samples) {
    responses.push_back({.ids = {10, sample.id.value},
                         .text = "answer " + std::to_string(sample.id.value),
                         .finish_reason = "stop",
                         .model_hash = kHash,
                         .template_version = "t1",
                         .logprob_sum = -1.5});
  }
  return write([&](Writer& writer) { return commit_unit(writer, unit, responses); });
}

std::vector<Judgment> StoreTest::judge(UnitOwner owner) {
  const AnnotatorId editor = annotator();
  write([&](Writer& writer) {
    request_judgments(writer, owner, editor);
    bool positive = true;
    for (const PendingJudgment& pending : list_pending_judgments(writer, owner, editor)) {
      begin_judgment_attempt(writer, pending.id);
      const std::string text = positive ? "Perfect." : "It is too long.";
      settle_judgment(
          writer, pending.id,
          {.label = positive ? JudgmentLabel::kPositive : JudgmentLabel::kNegative, .text = text, .raw = text});
      positive = !positive;
    }
  });
  return read([&](Reader& reader) { return list_judgments(reader, owner, editor); });
}

void StoreTest::bring_to(RoundId id, Phase phase) {
  while (round(id).phase != phase) {
    const Phase from = round(id).phase;
    const Phase to = static_cast<Phase>(static_cast<int>(from) + 1);
    write([&](Writer& writer) { advance_round(writer, id, from, to, "test"); });
  }
}

AdapterId StoreTest::publish(RoundId id, AdapterKind kind) {
  const std::string path = "adapters/" + std::to_string(id.value) + "-" + std::string(name_of(kind));
  std::filesystem::create_directories(data_dir() / path);
  std::ofstream(data_dir() / path / "adapter_model.safetensors") << path;
  const std::string hash = hash_directory(data_dir() / path);
  return write([&](Writer& writer) {
    return add_adapter(writer,
                       {.hash = sha256_hex(path), .folder_hash = hash, .kind = kind, .path = path, .round = id});
  });
}

RoundId StoreTest::trained_round(RunId run) {
  const std::string name = std::to_string(run.value) + "-" + std::to_string(++stories_);
  import(Split::kTrain, {name + "a", name + "b"});
  const RoundId id = new_round(run);
  for (const UnitId unit : plan(id, Split::kTrain, {{name + "a"}, {name + "b"}})) answer(unit);
  std::vector<JudgmentId> judgments;
  for (const Judgment& judgment : judge(id)) judgments.push_back(judgment.id);
  bring_to(id, Phase::kJudging);
  const std::string path = "manifest-" + name + ".jsonl";
  std::ofstream(data_dir() / path) << name;
  write([&](Writer& writer) {
    freeze_manifest(writer, {.round = id, .sha256 = sha256_hex(name), .path = path, .judgments = judgments});
    advance_round(writer, id, Phase::kJudging, Phase::kTraining, "2 judged");
  });
  publish(id, AdapterKind::kDelta);
  publish(id, AdapterKind::kCumulative);
  bring_to(id, Phase::kEvaluating);
  return id;
}

}  // namespace cutd
