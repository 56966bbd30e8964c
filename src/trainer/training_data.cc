#include "trainer/training_data.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "dataset/downsample.h"
#include "dataset/manifest.h"
#include "dataset/model_text.h"
#include "dataset/triplet.h"

namespace cutd {
namespace {

// An example with where it comes from, for messages.
struct Candidate {
  TrainingExample example;
  std::string origin;
};

std::vector<Candidate> read_manifest_examples(const std::filesystem::path& path) {
  std::vector<Candidate> candidates;
  for (ManifestRow& row : read_manifest(path).rows) {
    const std::string line = std::to_string(candidates.size() + 2);  // after the header, from 1
    candidates.push_back({std::move(row.example), path.string() + ":" + line});
  }
  return candidates;
}

std::vector<std::size_t> kept_positions(const std::vector<ExampleKind>& kinds, const TrainConfig& config) {
  return downsample_positives(kinds, config.downsample, static_cast<std::uint64_t>(config.seed));
}

// Down-sampling comes first, as in the released code, and then what does not fit is left out.
std::vector<Candidate> read_triplet_examples(const TrainingSource& source, const ModelConfig& model,
                                             const TrainConfig& config, TrainingSet& set) {
  const ModelText text = read_model_text(source.model_dir, source.prompts);
  const std::vector<Triplet> triplets = read_triplets(source.data);
  std::vector<ExampleKind> kinds;
  for (const Triplet& triplet : triplets)
    kinds.push_back(triplet.positive() ? ExampleKind::kAlignP : ExampleKind::kAlignN);
  const std::vector<std::size_t> kept = kept_positions(kinds, config);
  set.drawn_out = triplets.size() - kept.size();
  const std::int64_t cutoff = std::min(config.cutoff_len, model.max_position_embeddings - 1);  // EOS comes on top
  std::vector<Candidate> candidates;
  for (const std::size_t i : kept) {
    const PreparedTriplet prepared = prepare_triplet(triplets[i], text.prompts, text.encode, cutoff, text.eos_id);
    if (prepared.skipped.empty()) candidates.push_back({prepared.example(), triplets[i].origin});
    else ++set.skipped;
  }
  return candidates;
}

void check_ids(const std::vector<std::int64_t>& ids, const ModelConfig& model, const std::string& origin) {
  for (const std::int64_t id : ids) {
    if (id >= 0 && id < model.vocab_size) continue;
    throw Error(ErrorCode::kBadInput, origin + ": id " + std::to_string(id) + " is outside the model's vocabulary of " +
                                          std::to_string(model.vocab_size));
  }
}

void check_example(const Candidate& candidate, const ModelConfig& model) {
  const TrainingExample& example = candidate.example;
  check_ids(example.prompt_ids, model, candidate.origin);
  check_ids(example.prompt_judge_ids, model, candidate.origin);
  check_ids(example.response_ids, model, candidate.origin);
  const std::size_t longest =
      std::max(example.prompt_ids.size(), example.prompt_judge_ids.size()) + example.response_ids.size();
  if (static_cast<std::int64_t>(longest) <= model.max_position_embeddings) return;
  throw Error(ErrorCode::kBadInput, candidate.origin + ": " + std::to_string(longest) +
                                        " ids are more than the model's " +
                                        std::to_string(model.max_position_embeddings) + " positions");
}

}  // namespace

TrainingSet read_training_set(const TrainingSource& source, const ModelConfig& model, const TrainConfig& config) {
  TrainingSet set;
  set.sha256 = sha256_file(source.data);
  set.from_manifest = is_manifest(source.data);
  std::vector<Candidate> candidates;
  if (set.from_manifest) {
    std::vector<Candidate> all = read_manifest_examples(source.data);
    std::vector<ExampleKind> kinds;
    for (const Candidate& candidate : all) kinds.push_back(candidate.example.kind);
    for (const std::size_t i : kept_positions(kinds, config)) candidates.push_back(std::move(all[i]));
    set.drawn_out = all.size() - candidates.size();
  } else {
    candidates = read_triplet_examples(source, model, config, set);
  }
  for (Candidate& candidate : candidates) {
    const bool criticised = candidate.example.kind == ExampleKind::kAlignN;
    if (criticised && config.objective.name == "mle") continue;
    check_example(candidate, model);
    (criticised ? set.criticised : set.satisfactory) += 1;
    set.examples.push_back(std::move(candidate.example));
  }
  if (set.examples.empty()) {
    throw Error(ErrorCode::kBadInput, source.data.string() + ": nothing to train on is left (" +
                                          std::to_string(set.drawn_out) + " examples left out by train.downsample, " +
                                          std::to_string(set.skipped) +
                                          " without room for a prompt within train.cutoff_len)");
  }
  return set;
}

}  // namespace cutd
