#include "round/training_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/error.h"
#include "core/fault.h"
#include "core/random.h"
#include "dataset/downsample.h"
#include "dataset/manifest.h"
#include "dataset/prepare.h"
#include "round/adapter_files.h"
#include "round/decide.h"
#include "store/adapters.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/units.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

struct Candidate {
  ManifestRow row;
  JudgmentId judgment;
};

// One row per validated judgment whose response fits the cut-off, sorted as manifests are.
std::vector<Candidate> read_candidates(Reader& reader, const WorkContext& context, RoundId round) {
  const std::string source = context.frozen.config.judges_name();
  std::map<ResponseId, Judgment> judgments;
  for (const Judgment& judgment : list_judgments(reader, round, context.frozen.annotator)) {
    if (judgment.state == JudgmentState::kDone && judgment.validated) judgments.emplace(judgment.response, judgment);
  }
  std::vector<Candidate> candidates;
  for (const Response& response : list_responses(reader, round)) {
    const auto found = judgments.find(response.id);
    if (found == judgments.end()) continue;
    const std::optional<Instruction> instruction = find_instruction(reader, response.instruction);
    const StoredResponse stored{{instruction->text, instruction->input},
                                response.ids,
                                response.finish_reason == "stop",
                                found->second.text,
                                {}};
    auto example = prepare_stored(stored, context.text.prompts, context.text.encode,
                                  context.frozen.config.train.cutoff_len, context.text.eos_id);
    if (!example) continue;
    candidates.push_back(
        {{instruction->hash, response.hash, found->second.hash, source, std::move(*example)}, found->second.id});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.row.instruction_hash, a.row.response_hash) <
           std::tie(b.row.instruction_hash, b.row.response_hash);
  });
  // Two samples of one instruction may be the same text; one row stands for both.
  candidates.erase(std::unique(candidates.begin(), candidates.end(),
                               [](const Candidate& a, const Candidate& b) {
                                 return a.row.instruction_hash == b.row.instruction_hash &&
                                        a.row.response_hash == b.row.response_hash;
                               }),
                   candidates.end());
  return candidates;
}

std::vector<Candidate> downsample(std::vector<Candidate> candidates, double ratio, std::int64_t seed) {
  std::vector<ExampleKind> kinds;
  kinds.reserve(candidates.size());
  for (const Candidate& candidate : candidates) kinds.push_back(candidate.row.example.kind);
  std::vector<Candidate> kept;
  for (const std::size_t i : downsample_positives(kinds, ratio, static_cast<std::uint64_t>(seed)))
    kept.push_back(std::move(candidates[i]));
  return kept;
}

FrozenManifest require_manifest(Reader& reader, RoundId round) {
  const std::optional<FrozenManifest> manifest = find_manifest(reader, round);
  if (!manifest) throw Error(ErrorCode::kInternal, "a round has no manifest");
  return *manifest;
}

std::string step_detail(const Json& metrics) {
  if (!metrics.is_object() || !metrics.contains("loss") || !metrics["loss"].is_number()) return "";
  return fmt::format("loss {:.4f}", metrics["loss"].get<double>());
}

// Called for each report of the engine; a training step is stored at once.
void report_step(WorkContext& context, RoundId round, const EngineProgress& progress) {
  if (progress.phase == "train" && progress.detail.is_object() && progress.detail.contains("step")) {
    const TrainingStep step{json_get<std::int64_t>(progress.detail, "step", "training step"), progress.detail};
    context.store.write([&](Writer& writer) {
      // A training that got further than ever before did not fail at the same place again.
      if (step.step > last_training_step(writer, round)) clear_unit_failures(writer, round, work_name(action::Train{}));
      record_training_step(writer, round, step);
    });
    fault::point("train.after_step");
  }
  context.board.advance(progress.phase == "train" ? progress.done : 0, progress.tokens_per_second,
                        progress.phase == "load" ? "loading the model" : step_detail(progress.detail));
}

// Rounds of the same number in runs that build on one another must not begin from the same random matrices.
std::int64_t round_train_seed(const FrozenRun& frozen, const Round& round, const ModelReference& parent) {
  std::string label = "training of round " + std::to_string(round.number);
  if (frozen.start && round.parent) label += " on " + parent.adapter->hash;
  return derive_seed(frozen.config.train.seed, label);
}

// Publishes `temporary` and makes its row.
void publish(WorkContext& context, const Round& round, const fs::path& temporary, AdapterKind kind) {
  const PublishedAdapter published = publish_adapter(context.store.data_dir(), temporary, kind,
                                                     adapter_stem(context.frozen, round), context.frozen.model_dir);
  fault::point("publish.before_row");
  context.store.write([&](Writer& writer) {
    add_adapter(writer, {published.hash, published.folder_hash, kind, published.path, round.parent, round.id});
  });
  fault::point("publish.after_row");
}

}  // namespace

std::int64_t count_training_examples(std::int64_t positives, std::int64_t negatives, const TrainConfig& config) {
  const double allowed = config.downsample * static_cast<double>(negatives);
  const std::int64_t kept = config.downsample < 0 ? positives : std::min(positives, static_cast<std::int64_t>(allowed));
  return config.objective.name == "mle" ? kept : kept + negatives;
}

std::int64_t count_manifest_examples(const FrozenManifest& manifest, const TrainConfig& config) {
  return config.objective.name == "mle" ? manifest.positives : manifest.positives + manifest.negatives;
}

void freeze_round_manifest(WorkContext& context, const Round& round, const ModelReference& parent) {
  std::vector<Candidate> candidates =
      context.store.read([&](Reader& reader) { return read_candidates(reader, context, round.id); });
  candidates = downsample(std::move(candidates), context.frozen.config.train.downsample,
                          round_train_seed(context.frozen, round, parent));
  Manifest manifest{{parent.hash, context.frozen.template_version, "if_finished"}, {}};
  NewManifest row{round.id, "", "", {}};
  for (Candidate& candidate : candidates) {
    manifest.rows.push_back(std::move(candidate.row));
    row.judgments.push_back(candidate.judgment);
  }
  const fs::path folder = context.store.data_dir() / "manifests";
  fs::create_directories(folder);
  const fs::path file = write_manifest(folder, manifest);
  row.sha256 = manifest_name(manifest);
  row.path = (fs::path("manifests") / file.filename()).string();
  fault::point("manifest.before_row");
  context.store.write([&](Writer& writer) { freeze_manifest(writer, row); });
  fault::point("manifest.after_row");
}

void train_and_publish(WorkContext& context, const Round& round, const ModelReference& parent) {
  const FrozenManifest manifest =
      context.store.read([&](Reader& reader) { return require_manifest(reader, round.id); });
  const fs::path& data_dir = context.store.data_dir();
  const fs::path temporary = temporary_path(context.store, fmt::format("round-{}-delta", round.id.value));
  const fs::path checkpoints = checkpoint_folder(data_dir, round.id);
  fs::create_directories(checkpoints);
  TrainRequest request;
  request.model = parent.spec;
  request.model.dtype = context.frozen.config.train.dtype;
  request.manifest = (data_dir / manifest.path).string();
  request.output_dir = temporary.string();
  request.checkpoint_dir = checkpoints.string();
  request.config = context.frozen.config.train;
  request.config.seed = round_train_seed(context.frozen, round, parent);
  request.config.downsample = -1;  // done when the manifest was frozen

  ProgressSnapshot now = context.activity;
  now.activity = "training";
  context.board.begin(now);
  bool sized = false;
  const TrainReply reply = context.engine.train(request, context.stop, [&](const EngineProgress& progress) {
    if (!sized && progress.phase == "train" && progress.total > 0) {
      now.total = progress.total;
      context.board.begin(now, progress.done);
      sized = true;
    }
    report_step(context, round.id, progress);
  });
  if (reply.resumed_from_step > 0) {
    context.board.say(fmt::format("round {}: training went on from the checkpoint of step {}", round.number,
                                  reply.resumed_from_step));
  }
  fault::point("train.before_publish");
  publish(context, round, temporary, AdapterKind::kDelta);
}

void publish_cumulative(WorkContext& context, const Round& round, const ModelReference& parent) {
  const fs::path& data_dir = context.store.data_dir();
  const std::optional<Adapter> delta =
      context.store.read([&](Reader& reader) { return find_adapter(reader, round.id, AdapterKind::kDelta); });
  if (!delta) throw Error(ErrorCode::kInternal, "a round has no delta adapter");
  check_own_adapter(context.store, *delta);
  const fs::path temporary = temporary_path(context.store, fmt::format("round-{}-cumulative", round.id.value));
  write_cumulative(temporary, parent.spec.adapter_dir, data_dir / delta->path, context.frozen.model_dir);
  publish(context, round, temporary, AdapterKind::kCumulative);
}

std::string adapter_stem(const FrozenRun& frozen, const Round& round) {
  return fmt::format("{}-{}-r{}", frozen.config.name, round.run.value, round.number);
}

}  // namespace cutd
