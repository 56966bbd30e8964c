// An engine without a model, for tests of the daemon's side: in this process, deterministic, and able to fail.
// Token ids are bytes (scripted_text.h), so it reads the instruction out of a prompt and answers it well or
// badly; how often well rises with the rank of the adapter, as if training had helped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace cutd {

// One thread calls; the counts may be read once it has ended.
class ScriptedEngine final : public Engine {
 public:
  // Called before each request with its kind (generate | judge | score | train) and its number among those of the
  // kind, from 1. What it throws is what the engine answers.
  using Before = std::function<void(const std::string& kind, std::int64_t number, std::stop_token stop)>;
  Before before;
  // Called after each training step, with its number.
  std::function<void(std::int64_t step, std::stop_token stop)> after_step;

  LoadReply load(const ModelSpec& model, std::stop_token stop, const ProgressSink& progress) override;
  std::vector<GeneratedResponse> generate(const GenerateRequest& request, std::stop_token stop,
                                          const ProgressSink& progress) override;
  std::vector<std::vector<double>> score(const ScoreRequest& request, std::stop_token stop,
                                         const ProgressSink& progress) override;
  // Takes kSteps steps, each with a checkpoint in request.checkpoint_dir, and resumes from the newest; refuses
  // one of another training. The adapter depends on manifest, seed, parent and nothing else.
  TrainReply train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) override;
  MergeReply merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) override;

  // A judging model beside the policy: what the model of that folder says to a prompt. Its requests are of kind `judge`
  // and no part of `generate`.
  std::string judge_dir;
  std::function<GeneratedResponse(const std::string& prompt)> judge;
  const std::vector<GenerateRequest>& judged() const { return judged_; }

  static constexpr std::int64_t kSteps = 3;

  // A null model: from this rank of the adapter on, one answer to everything (0: never).
  std::int64_t constant_from_rank = 0;
  // A model that flatters its judge: from this rank on, every answer ends with these words (0: never).
  std::int64_t suffix_from_rank = 0;
  std::string suffix;

  std::int64_t calls(const std::string& kind) const;
  const std::vector<TrainRequest>& trainings() const { return trainings_; }
  std::int64_t last_resumed_from() const { return last_resumed_from_; }

 private:
  void begin(const std::string& kind, const std::stop_token& stop);
  std::vector<GeneratedResponse> answer_as_judge(const GenerateRequest& request, const std::stop_token& stop);

  std::map<std::string, std::int64_t> calls_;
  std::vector<TrainRequest> trainings_;
  std::vector<GenerateRequest> judged_;
  std::int64_t last_resumed_from_ = 0;
};

// The fault of a dead or hung engine, and one that waits until it is stopped.
[[noreturn]] void engine_dies();
[[noreturn]] void hang_until_stopped(std::stop_token stop);

}  // namespace cutd
