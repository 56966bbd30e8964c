// What a training is made of: objective, LoRA, optimiser. Shared by the daemon (which freezes it per
// round), the protocol and the trainer. Keys and defaults: reference interfaces.md section 10.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"

namespace cutd {

// CUT and its relatives. `paper`: Eq. 5-7 of arXiv 2312.14591; `released`: the authors' code, where
// lambda is its threshold and alpha its weight_unlike.
struct ObjectiveConfig {
  std::string name = "cut";       // cut | mle (likelihood of positives, Align-P rows only)
  std::string variant = "paper";  // paper | released
  double lambda = 1.1;
  double alpha = 1.0;
  double gamma = 1.0;
  double align_p_weight = 1.0;   // likelihood of satisfactory responses
  double align_n_weight = 1.0;   // likelihood of a response given the judgment that criticises it
  double misalign_weight = 1.0;  // likelihood, without the judgment, of tokens outside U
  bool detection = true;         // false: every label token of a negative is in U
};

struct LoraConfig {
  std::int64_t r = 16;
  double alpha = 16;
  double dropout = 0.05;
  std::vector<std::string> target_modules = {"gate_proj", "up_proj", "down_proj"};
};

struct TrainConfig {
  ObjectiveConfig objective;
  LoraConfig lora;
  double learning_rate = 4e-4;
  std::string lr_scheduler_type = "cosine";  // cosine | constant
  std::int64_t warmup_steps = 0;
  double warmup_ratio = 0;  // used when warmup_steps is 0; rounds up, as Hugging Face does
  std::int64_t num_train_epochs = 1;
  std::int64_t max_steps = -1;                   // stops after this many steps; the schedule is not shortened
  std::int64_t total_steps = -1;                 // length of the schedule; -1: epochs x steps per epoch
  std::int64_t per_device_train_batch_size = 1;  // examples per micro-batch: defines the `released` loss
  std::int64_t gradient_accumulation_steps = 8;  // micro-batches per optimiser step
  bool shuffle = true;                           // a new order each epoch, from the seed; false: file order
  double weight_decay = 0;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double max_grad_norm = 1.0;  // 0: no clipping
  double downsample = -1;      // Align-P kept per negative (method.md section 5); -1: all
  std::int64_t cutoff_len = 2048;
  std::int64_t seed = 42;
  std::int64_t save_steps = 50;       // a checkpoint every N optimiser steps; 0: none
  std::int64_t pack_tokens = 4096;    // most tokens executed at once; never changes the loss
  std::int64_t recompute_layers = 0;  // layers whose activations are recomputed in the backward pass
  std::string dtype = "float32";      // float32 | bfloat16: the frozen base; adapters are float32
};

// Declares every key under "objective."; both programs and every command name them alike.
void declare_objective_options(OptionTable& table, ObjectiveConfig& objective);

// Declares every key under "objective.", "lora." and "train.".
void declare_train_options(OptionTable& table, TrainConfig& config);

}  // namespace cutd
