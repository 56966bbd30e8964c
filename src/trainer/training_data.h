// What is trained on: a triplet file (prepared here: templates, cut-off, EOS always appended) or a frozen manifest
// (token ids, taken as they are).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/train_config.h"
#include "dataset/example.h"
#include "dataset/prompt_template.h"
#include "weights/model_config.h"

namespace cutd {

struct TrainingSet {
  std::vector<TrainingExample> examples;  // in file order
  std::string sha256;                     // of the file
  bool from_manifest = false;
  std::size_t satisfactory = 0;  // examples of each kind
  std::size_t criticised = 0;
  std::size_t skipped = 0;    // triplets whose response leaves no room for a prompt
  std::size_t drawn_out = 0;  // Align-P left out by train.downsample
};

struct TrainingSource {
  std::filesystem::path data;
  std::filesystem::path model_dir;  // its tokenizer and chat template prepare triplets
  PromptTemplateConfig prompts;     // of triplets
};

// Down-samples (train.downsample, train.seed), and for objective `mle` keeps satisfactory responses only. Prompts of
// triplets are cut to train.cutoff_len or the model's positions, whichever is less. Error(kBadInput) naming file and
// row for what cannot be trained on, or when nothing is left.
TrainingSet read_training_set(const TrainingSource& source, const ModelConfig& model, const TrainConfig& config);

}  // namespace cutd
