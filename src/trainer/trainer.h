// One training, from data to a published LoRA. Start here: train_round() in trainer.cc is the recipe, read top to
// bottom; the parts are training_data.h (what), schedule.h (when), packing.h and training_step.h (one step),
// objective.h (the loss), optimiser.h (the update) and checkpoint.h (what survives a crash).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "core/train_config.h"
#include "model/policy.h"
#include "trainer/training_data.h"

namespace cutd {

struct TrainingJob {
  std::filesystem::path data;    // triplets or manifest
  PromptTemplateConfig prompts;  // of triplets
  TrainConfig config;
  std::filesystem::path output_dir;        // receives the LoRA in PEFT layout, and training.json: what it was made from
  std::filesystem::path checkpoint_dir;    // empty: no checkpoints
  std::filesystem::path init_adapter_dir;  // its values, rank and modules instead of fresh ones; may be empty
  bool resume = false;                     // go on from the newest checkpoint of this very work
};

// One optimiser step as it is reported, and as JSON.
struct StepReport {
  std::int64_t step = 0;  // from 1
  std::int64_t last_step = 0;
  double epoch = 0;  // passes over the data, this step included
  double loss = 0;
  double learning_rate = 0;
  double grad_norm = 0;          // before clipping
  std::int64_t tokens = 0;       // executed in this step, all contexts
  double detected_fraction = 0;  // of the label tokens of criticised responses; 0 when there are none
  double likelihood = 0;         // mean terms of the step's examples, unweighted
  double unlikelihood = 0;
  double tokens_per_second = 0;
  double elapsed_seconds = 0;  // of this process
  double remaining_seconds = 0;
};
Json step_json(const StepReport& report);

// All optional; called by the training thread.
struct TrainingEvents {
  std::function<void(const StepReport&)> on_step;
  std::function<void(const std::filesystem::path& folder, std::int64_t step)> on_checkpoint;
  std::function<void(std::int64_t steps_done, std::int64_t last_step)> on_work;  // at least once per pack
  std::function<void(const std::string&)> on_message;                            // what a person should know
};

struct TrainingResult {
  std::int64_t steps = 0;  // done in all
  std::int64_t resumed_from_step = 0;
  bool complete = false;       // the data were trained on to the end: train.max_steps did not stop it
  bool already_there = false;  // output_dir held this very training; nothing was done
  double final_loss = 0;
  Json metrics;  // means over all steps: loss, detected_fraction; tokens; tokens_per_second
};

// Trains a LoRA on `policy` as it stands (its adapter folded in) and publishes it as job.output_dir. Checkpoints are
// written every train.save_steps, and where the training stops before the data end; a resumed training has the losses
// and ends with the bytes of an uninterrupted one (equal binary, CPU type and threads).
// Error: kConflict (an output or checkpoints are in the way, or belong to other work: says what differs), kUsage (the
// loss or gradient is not finite: names the step), kCancelled soon after a stop request, kBadInput, kResource, kIo.
TrainingResult train_round(const Policy& policy, const TrainingJob& job, std::stop_token stop,
                           const TrainingEvents& events);

}  // namespace cutd
