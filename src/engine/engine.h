// What the daemon asks of the model process, as plain values. Implementations: EngineClient (the real
// process over JSON-RPC, engine/client.h) and FakeEngine (tests/support). docs/architecture.md, section 2.
//
// Every call blocks until its answer. The round runner, judges (round/engine_judge.h) and the pages' explanations call,
// each from a thread of its own: an implementation for the daemon queues their calls. A call throws
// Error(kUnavailable) when the engine died or hung (redo the unit), Error(kCancelled) when `stop` was
// requested, and the engine's own error otherwise. The engine holds no truth: a request carries
// everything, a result is a value or a folder plus its hash.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/sampling_config.h"
#include "core/train_config.h"

namespace cutd {

// A model is the original base plus, unless empty, one cumulative PEFT adapter folded into it.
struct ModelSpec {
  std::string model_dir;          // Hugging Face folder
  std::string adapter_dir;        // cumulative PEFT adapter; empty: the base itself
  std::string dtype = "float32";  // float32 | bfloat16
  std::string device = "auto";    // auto | cpu | cuda:N
  std::int64_t threads = 0;       // CPU threads; 0: physical cores
};

struct LoadReply {
  std::string device;
  std::string dtype;
  std::int64_t threads = 0;
  std::int64_t parameters = 0;
  std::string cpu;  // CPU type: bit equality holds for equal binary, cpu and threads
};

struct GeneratePrompt {
  std::vector<std::int64_t> ids;
  std::int64_t seed = 0;
};

// One fixed unit: run from an empty cache, answered whole. Prompts keep their order.
struct GenerateRequest {
  ModelSpec model;
  SamplingConfig sampling;
  std::vector<GeneratePrompt> prompts;
  std::int64_t max_batch = 32;
};

struct GeneratedResponse {
  std::vector<std::int64_t> ids;  // new ids, the EOS that ended it included
  std::string text;               // without EOS and stop string
  std::string finish_reason;      // stop | length
  std::vector<double> logprobs;   // of the unmodified model, one per id
};

// Log-probabilities of ids[first..] given everything before.
struct ScoreItem {
  std::vector<std::int64_t> ids;
  std::int64_t first = 1;
};
struct ScoreRequest {
  ModelSpec model;
  std::vector<ScoreItem> items;
};

// What an objective makes of one criticised response: the values of its tokens without and with the judgment in the
// prompt, and which of them it detects as inappropriate.
struct ExplainRequest {
  ModelSpec model;
  ObjectiveConfig objective;
  std::vector<std::int64_t> prompt_ids;
  std::vector<std::int64_t> prompt_judge_ids;
  std::vector<std::int64_t> response_ids;
};
struct ExplainReply {
  std::vector<double> logprobs;  // one per response id; -inf travels as the least double
  std::vector<double> logprobs_with_judgment;
  std::vector<bool> detected;
};

struct TrainRequest {
  ModelSpec model;               // frozen: base and the parent's cumulative adapter
  std::string manifest;          // file of format cutd-manifest/1
  std::string output_dir;        // must not exist; receives the fresh LoRA in PEFT layout (the delta)
  std::string checkpoint_dir;    // checkpoints go here and the newest complete one is resumed from
  std::string init_adapter_dir;  // start values of the LoRA instead of fresh ones; may be empty
  TrainConfig config;
};
struct TrainReply {
  std::int64_t steps = 0;
  std::int64_t resumed_from_step = 0;
  double final_loss = 0;
  Json metrics;  // means over the run: loss, detected_fraction, tokens, tokens_per_second, ...
};

struct MergeRequest {
  ModelSpec model;
  std::string output_dir;
};
struct MergeReply {
  double max_logit_difference = 0;
};

// While a call runs. `detail` of a training step holds the step's JSON line.
struct EngineProgress {
  std::string phase;      // load | generate | score | explain | train | merge
  std::int64_t done = 0;  // responses, items or steps
  std::int64_t total = 0;
  double tokens_per_second = 0;
  Json detail;
};
using ProgressSink = std::function<void(const EngineProgress&)>;

class Engine {
 public:
  virtual ~Engine() = default;
  virtual LoadReply load(const ModelSpec& model, std::stop_token stop, const ProgressSink& progress) = 0;
  virtual std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                                  const ProgressSink& progress) = 0;
  virtual std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                                 const ProgressSink& progress) = 0;
  // An implementation for tests that never explains need not have it: Error(kUnavailable).
  virtual ExplainReply explain(const ExplainRequest& request, std::stop_token stop, const ProgressSink& progress);
  virtual TrainReply train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) = 0;
  virtual MergeReply merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) = 0;
};

}  // namespace cutd
