// A judge that is a model in our own engine: nothing leaves the machine and nothing is paid. It is asked like any
// judging model (judge_client/judging_prompt.h), by its own chat template, and its answers are read as strictly.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "judge_client/judge.h"
#include "judge_client/judging_prompt.h"
#include "judge_client/llm_annotator.h"

namespace cutd {

// Ids of a conversation that ends where the model's answer begins. Error(kBadInput) for what the template refuses.
using ChatEncoder = std::function<std::vector<std::int64_t>(const JudgingMessages& messages)>;

// By tokenizer and chat template of a model folder. What the texts hold of the tokenizer's special tokens is broken:
// they must not end their turn. Throws Error naming the file.
ChatEncoder read_chat_encoder(const std::filesystem::path& model_dir);

struct EngineJudgeOptions {
  ModelSpec model;
  JudgingPrompt prompt;
  ChatEncoder encode;
  std::int64_t most_ids = 0;  // of a prompt with at least one token after it: the model's context
};

class EngineJudge final : public Judge {
 public:
  static constexpr std::size_t kUnit = 32;  // prompts answered together: what a stop or a dead engine costs
  static constexpr int kTries = 3;          // of one unit, with a new engine each

  // `engine` must outlive it.
  EngineJudge(EngineJudgeOptions options, Engine& engine) : options_(std::move(options)), engine_(engine) {}

  void submit(JudgeRequest request) override;
  // Ends early, after sink.halted(), when the engine does not come back or says that the model is at fault: asking on
  // would fail every item. The call in the engine ends with `stop`.
  void run(std::stop_token stop, JudgeSink& sink) override;

 private:
  struct Asked {
    AttemptId attempt;
    JudgedText text;
    std::vector<std::int64_t> ids;
  };

  std::vector<JudgeRequest> take_unit();
  std::vector<Asked> render(const std::vector<JudgeRequest>& requests, JudgeSink& sink) const;
  std::vector<Asked> admit(std::vector<Asked> asked, JudgeSink& sink) const;
  bool judge_unit(const std::vector<Asked>& unit, const std::stop_token& stop, JudgeSink& sink);
  std::vector<GeneratedResponse> generate(const std::vector<Asked>& unit, const std::stop_token& stop);
  void settle(const Asked& asked, const GeneratedResponse& response, JudgeSink& sink) const;

  const EngineJudgeOptions options_;
  Engine& engine_;

  // Owned by the thread of run().
  std::int64_t max_batch_ = kUnit;  // halved when memory does not suffice

  std::mutex mutex_;
  std::deque<JudgeRequest> queue_;  // guarded by mutex_
};

// The judge of an annotator whose api is `engine`. Error(kUsage) naming the key when its model is missing, cannot be
// read, or is not the one that the run was started with.
std::unique_ptr<Judge> make_engine_judge(const LlmAnnotator& config, Engine& engine,
                                         const std::filesystem::path& data_dir);

// What a run freezes of it: the model's absolute path and fingerprint. Error(kNotFound) as find_model() (run_start.h).
LlmAnnotator with_model(const LlmAnnotator& config, const std::filesystem::path& data_dir);

}  // namespace cutd
