#include "support/scripted_engine.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/random.h"
#include "dataset/manifest.h"
#include "support/scripted_text.h"
#include "weights/model_config.h"
#include "weights/model_layout.h"
#include "weights/peft.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

std::int64_t rank_of(const ModelSpec& model) {
  if (model.adapter_dir.empty()) return 0;
  return read_adapter(model.adapter_dir, read_model_config(model.model_dir)).r;
}

// Share of good answers, in percent: 35 untrained, 10 more for each rank of the adapter.
std::int64_t skill(std::int64_t rank) { return 35 + 10 * rank; }

// Between "### Instruction:\n" and the next blank line of the alpaca prompt.
std::string instruction_of(const std::string& prompt) {
  const std::string mark = "### Instruction:\n";
  const std::size_t start = prompt.find(mark) + mark.size();
  return prompt.substr(start, prompt.find("\n\n", start) - start);
}

std::string answer(const std::string& instruction, bool well) {
  std::string subject = instruction;
  while (!subject.empty() && (subject.back() == '.' || subject.back() == '?')) subject.pop_back();
  return well ? "People who ask about this (" + subject + ") want one clear and short sentence."
              : "Sure! " + subject + ".";
}

void require_going(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
}

struct Checkpoint {
  std::int64_t step = 0;
  std::string state;
};

fs::path checkpoint_file(const TrainRequest& request, std::int64_t step) {
  return fs::path(request.checkpoint_dir) / ("step-" + std::to_string(step) + ".json");
}

// What a training is of: equal text, equal result.
std::string training_identity(const TrainRequest& request) {
  const std::string parent =
      request.model.adapter_dir.empty()
          ? "base"
          : adapter_hash(read_adapter(request.model.adapter_dir, read_model_config(request.model.model_dir)));
  return sha256_hex(sha256_file(request.manifest) + parent + std::to_string(request.config.seed));
}

Checkpoint newest_checkpoint(const TrainRequest& request, const std::string& identity) {
  for (std::int64_t step = ScriptedEngine::kSteps; step > 0; --step) {
    const fs::path file = checkpoint_file(request, step);
    if (!fs::exists(file)) continue;
    const Json json = read_json_file(file);
    if (json_get<std::string>(json, "training", file.string()) != identity) {
      throw Error(ErrorCode::kBadInput, file.string() + " is a checkpoint of another training");
    }
    return {step, json_get<std::string>(json, "state", file.string())};
  }
  return {0, identity};
}

PeftAdapter adapter_of(const TrainRequest& request, const std::string& state) {
  PeftAdapter adapter;
  adapter.r = request.config.lora.r;
  adapter.lora_alpha = request.config.lora.alpha;
  adapter.base_model_name_or_path = request.model.model_dir;
  auto value = [&, count = std::uint64_t{0}]() mutable {
    return philox_uniform(static_cast<std::uint64_t>(derive_seed(1, state)), count++);
  };
  const ModelConfig config = read_model_config(request.model.model_dir);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const LinearModule& module : layer_linear_modules(config, layer)) {
      if (module.kind != "down_proj") continue;
      LoraModule& lora = adapter.modules[module.name];
      lora.in = module.shape.in;
      lora.out = module.shape.out;
      for (std::int64_t i = 0; i < adapter.r * lora.in; ++i) lora.a.push_back(value());
      for (std::int64_t i = 0; i < adapter.r * lora.out; ++i) lora.b.push_back(value());
    }
  }
  return adapter;
}

}  // namespace

void ScriptedEngine::begin(const std::string& kind, const std::stop_token& stop) {
  const std::int64_t number = ++calls_[kind];
  if (before) before(kind, number, stop);
  require_going(stop);
}

std::int64_t ScriptedEngine::calls(const std::string& kind) const {
  const auto found = calls_.find(kind);
  return found == calls_.end() ? 0 : found->second;
}

LoadReply ScriptedEngine::load(const ModelSpec& model, std::stop_token stop, const ProgressSink&) {
  begin("load", stop);
  return {"cpu", model.dtype, 1, 1, "scripted"};
}

std::vector<GeneratedResponse> ScriptedEngine::answer_as_judge(const GenerateRequest& request,
                                                               const std::stop_token& stop) {
  judged_.push_back(request);
  begin("judge", stop);
  std::vector<GeneratedResponse> answers;
  for (const GeneratePrompt& prompt : request.prompts) answers.push_back(judge(scripted_decode(prompt.ids)));
  return answers;
}

std::vector<GeneratedResponse> ScriptedEngine::generate(const GenerateRequest& request, std::stop_token stop,
                                                        const ProgressSink& progress) {
  if (!judge_dir.empty() && request.model.model_dir == judge_dir) return answer_as_judge(request, stop);
  begin("generate", stop);
  const std::int64_t rank = rank_of(request.model);
  const std::int64_t percent = skill(rank);
  const bool constant = constant_from_rank > 0 && rank >= constant_from_rank;
  std::vector<GeneratedResponse> responses;
  for (const GeneratePrompt& prompt : request.prompts) {
    require_going(stop);
    const std::string instruction = instruction_of(scripted_decode(prompt.ids));
    const bool well = derive_seed(prompt.seed, instruction) % 100 < percent;
    std::string text = constant ? "This is the one clear answer that I give." : answer(instruction, well);
    if (suffix_from_rank > 0 && rank >= suffix_from_rank) text += suffix;
    GeneratedResponse response{{}, text, "stop", {}};
    response.ids = scripted_encode(response.text);
    response.ids.push_back(kScriptedEos);
    response.logprobs.assign(response.ids.size(), -0.5);
    responses.push_back(std::move(response));
    if (progress)
      progress({"generate", static_cast<std::int64_t>(responses.size()),
                static_cast<std::int64_t>(request.prompts.size()), 100, Json()});
  }
  return responses;
}

std::vector<std::vector<double>> ScriptedEngine::score(const ScoreRequest& request, std::stop_token stop,
                                                       const ProgressSink&) {
  begin("score", stop);
  if (!request.model.adapter_dir.empty())
    throw Error(ErrorCode::kInternal, "responses are scored under the original model");
  std::vector<std::vector<double>> logprobs;
  for (const ScoreItem& item : request.items) {
    logprobs.emplace_back(item.ids.size() - static_cast<std::size_t>(item.first), -0.75);
  }
  return logprobs;
}

TrainReply ScriptedEngine::train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) {
  trainings_.push_back(request);
  begin("train", stop);
  if (fs::exists(request.output_dir)) throw Error(ErrorCode::kInternal, "the output folder exists already");
  if (read_manifest(request.manifest).rows.empty())
    throw Error(ErrorCode::kBadInput, request.manifest + " holds no example");
  const std::string identity = training_identity(request);
  Checkpoint now = newest_checkpoint(request, identity);
  last_resumed_from_ = now.step;
  const std::int64_t resumed_from = now.step;
  while (now.step < kSteps) {
    ++now.step;
    now.state = sha256_hex(now.state + std::to_string(now.step));
    fault::point("train.checkpoint");
    write_file_durably(checkpoint_file(request, now.step), Json{{"training", identity}, {"state", now.state}}.dump());
    if (progress) {
      const double loss = 3.0 / static_cast<double>(now.step);
      progress({"train", now.step, kSteps, 50, Json{{"step", now.step}, {"loss", loss}, {"detected_fraction", 0.25}}});
    }
    if (after_step) after_step(now.step, stop);
    require_going(stop);
  }
  write_adapter(request.output_dir, adapter_of(request, now.state));
  return {kSteps, resumed_from, 1.0, Json{{"loss", 1.0}}};
}

MergeReply ScriptedEngine::merge(const MergeRequest&, std::stop_token stop, const ProgressSink&) {
  begin("merge", stop);
  return {0};
}

void engine_dies() { throw Error(ErrorCode::kUnavailable, "the engine was killed by signal 9"); }

void hang_until_stopped(std::stop_token stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  throw Error(ErrorCode::kCancelled, "stopped");
}

}  // namespace cutd
