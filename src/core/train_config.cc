#include "core/train_config.h"

namespace cutd {

void declare_objective_options(OptionTable& table, ObjectiveConfig& objective) {
  table.add("objective.name", &objective.name, "cut, or mle: likelihood of satisfactory responses only",
            one_of({"cut", "mle"}));
  table.add("objective.variant", &objective.variant, "paper: Eq. 5-7; released: the authors' code",
            one_of({"paper", "released"}));
  table.add("objective.lambda", &objective.lambda, "a token is detected when p(with judgment) > lambda x p(without)",
            in_range(0, 1e30), {"objective.threshold"});
  table.add("objective.alpha", &objective.alpha, "weight of unlikelihood on detected tokens", in_range(0, 1e6),
            {"objective.weight_unlike"});
  table.add("objective.gamma", &objective.gamma, "exponent of the dynamic weight p(with judgment)^gamma",
            in_range(0, 100));
  table.add("objective.align_p_weight", &objective.align_p_weight, "weight of the likelihood of satisfactory responses",
            in_range(0, 1e6));
  table.add("objective.align_n_weight", &objective.align_n_weight,
            "weight of the likelihood of a criticised response given its judgment", in_range(0, 1e6));
  table.add("objective.misalign_weight", &objective.misalign_weight,
            "weight of the likelihood of tokens outside the detected set", in_range(0, 1e6));
  table.add("objective.detection", &objective.detection, "false: unlikelihood on every token of a criticised response");
}

void declare_train_options(OptionTable& table, TrainConfig& config) {
  declare_objective_options(table, config.objective);

  LoraConfig& lora = config.lora;
  table.add("lora.r", &lora.r, "rank of the LoRA update", at_least(1), {"lora.lora_r"});
  table.add("lora.alpha", &lora.alpha, "LoRA scale is alpha / r", in_range(0, 1e6), {"lora.lora_alpha"});
  table.add("lora.dropout", &lora.dropout, "dropout on the LoRA input", in_range(0, 0.99), {"lora.lora_dropout"});
  table.add("lora.target_modules", &lora.target_modules, "linear layers that get an update", {},
            {"lora.lora_target_modules"});

  table.add("train.learning_rate", &config.learning_rate, "peak learning rate", in_range(0, 10));
  table.add("train.lr_scheduler_type", &config.lr_scheduler_type, "cosine (to zero) or constant, after the warm-up",
            one_of({"cosine", "constant"}));
  table.add("train.warmup_steps", &config.warmup_steps, "steps of linear warm-up", at_least(0));
  table.add("train.warmup_ratio", &config.warmup_ratio,
            "share of all steps that warm up, rounded up; used when warmup_steps is 0", in_range(0, 1));
  table.add("train.num_train_epochs", &config.num_train_epochs, "passes over the data", at_least(1));
  table.add("train.max_steps", &config.max_steps, "stop after this many optimiser steps (-1: at the end)",
            at_least(-1));
  table.add("train.total_steps", &config.total_steps, "length of the learning-rate schedule (-1: as long as the data)",
            at_least(-1));
  table.add("train.per_device_train_batch_size", &config.per_device_train_batch_size, "examples per micro-batch",
            at_least(1));
  table.add("train.gradient_accumulation_steps", &config.gradient_accumulation_steps,
            "micro-batches per optimiser step", at_least(1));
  table.add("train.shuffle", &config.shuffle, "draw a new order each epoch; false: file order");
  table.add("train.weight_decay", &config.weight_decay, "decoupled weight decay", in_range(0, 10));
  table.add("train.adam_beta1", &config.adam_beta1, "AdamW beta1", in_range(0, 1));
  table.add("train.adam_beta2", &config.adam_beta2, "AdamW beta2", in_range(0, 1));
  table.add("train.adam_epsilon", &config.adam_epsilon, "AdamW epsilon", in_range(0, 1));
  table.add("train.max_grad_norm", &config.max_grad_norm, "clip the gradient to this norm (0: never)",
            in_range(0, 1e9));
  table.add("train.downsample", &config.downsample, "satisfactory responses kept per criticised one (-1: all)",
            in_range(-1, 1e6));
  table.add("train.cutoff_len", &config.cutoff_len, "most tokens of prompt and response; the prompt loses its left end",
            at_least(8));
  table.add("train.seed", &config.seed, "seed of order, initial values and dropout", at_least(0));
  table.add("train.save_steps", &config.save_steps, "a checkpoint every N steps (0: none)", at_least(0));
  table.add("train.pack_tokens", &config.pack_tokens, "most tokens executed at once; does not change the loss",
            at_least(16));
  table.add("train.recompute_layers", &config.recompute_layers,
            "layers recomputed in the backward pass, to save memory", at_least(0));
  table.add("train.dtype", &config.dtype, "type of the frozen base: float32 or bfloat16",
            one_of({"float32", "bfloat16"}));
}

}  // namespace cutd
