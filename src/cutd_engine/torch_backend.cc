#include "cutd_engine/torch_backend.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "core/error.h"
#include "cutd_engine/merged_model.h"
#include "model/cuda_runtime.h"
#include "model/device.h"
#include "model/trainable_lora.h"
#include "model/training_decoder.h"
#include "trainer/explanation.h"
#include "trainer/trainer.h"

namespace cutd {
namespace {

// LibTorch's own errors, as ours.
template <typename Action>
auto translated(const char* what, const Action& action) {
  try {
    return action();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kResource,
                std::string("out of memory in \"") + what + "\": " + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kInternal, std::string("\"") + what + "\": " + error.what_without_backtrace());
  }
}

std::vector<std::string> usable_devices() {
  std::vector<std::string> names = {"cpu"};
  for (int i = 0; i < CudaRuntime::instance().device_count(); ++i) names.push_back("cuda:" + std::to_string(i));
  return names;
}

void report(const ProgressSink& progress, const EngineProgress& event) {
  if (progress) progress(event);
}

Generator::OnProgress generation_progress(const char* phase, const ProgressSink& progress) {
  return [phase, &progress](const GenerationProgress& now) {
    report(progress, {phase, now.finished, now.total, now.tokens_per_second, Json()});
  };
}

// JSON has no infinity.
std::vector<double> finite_values(const std::vector<float>& values) {
  std::vector<double> result;
  for (const float value : values) {
    result.push_back(std::isfinite(value) ? static_cast<double>(value) : std::numeric_limits<double>::lowest());
  }
  return result;
}

TrainingEvents training_events(const ProgressSink& progress) {
  TrainingEvents events;
  events.on_work = [&progress](std::int64_t done, std::int64_t total) {
    report(progress, {"train", done, total, 0, Json()});
  };
  events.on_step = [&progress](const StepReport& step) {
    report(progress, {"train", step.step, step.last_step, step.tokens_per_second, step_json(step)});
  };
  events.on_message = [](const std::string& message) { std::fprintf(stderr, "training: %s\n", message.c_str()); };
  return events;
}

}  // namespace

TorchBackend::TorchBackend() : cpu_(cpu_description()), devices_(usable_devices()) {}

Json TorchBackend::describe() const {
  return {{"version", CUTD_VERSION}, {"cpu", cpu_}, {"threads", usable_physical_cores()}, {"devices", devices_}};
}

LoadedModel& TorchBackend::use(const ModelSpec& model, const ProgressSink& progress) {
  const bool resident =
      spec_ && spec_->model_dir == model.model_dir && spec_->dtype == model.dtype && spec_->device == model.device;
  const bool ready = resident && spec_->adapter_dir == model.adapter_dir;
  if (!ready) report(progress, {"load", 0, 1, 0, Json()});
  if (!resident) {
    generator_.reset();
    spec_.reset();
    model_.reset();  // the old weights go before the new ones come
    InferenceOptions options;
    options.model = model.model_dir;
    options.dtype = model.dtype;
    options.device = model.device;
    options.threads = model.threads;
    model_ = std::make_unique<LoadedModel>(options);
    spec_ = model;
    spec_->adapter_dir.clear();
    report(progress, {"load", 0, 1, 0, Json()});
  }
  set_compute_threads(model.threads);
  model_->policy->set_adapter(model.adapter_dir);  // also where the path is the same: the files decide
  spec_->adapter_dir = model.adapter_dir;
  if (!ready) report(progress, {"load", 1, 1, 0, Json()});
  return *model_;
}

Generator& TorchBackend::generator_for(const ModelSpec& model, std::int64_t max_batch) {
  if (!generator_ || generator_batch_ != max_batch || generator_threads_ != model.threads) {
    GeneratorOptions options;
    options.max_batch = max_batch;
    options.threads = model.threads;
    generator_.reset();
    generator_ = std::make_unique<Generator>(model_->policy->weights(),
                                             model_->tokenizer ? &*model_->tokenizer : nullptr, options);
    generator_batch_ = max_batch;
    generator_threads_ = model.threads;
  }
  return *generator_;
}

LoadReply TorchBackend::load(const ModelSpec& model, std::stop_token, const ProgressSink& progress) {
  return translated("load", [&] {
    const DecoderWeights& weights = use(model, progress).policy->weights();
    return LoadReply{device_name(weights.device), dtype_text(weights.dtype), at::get_num_threads(),
                     weights.parameters(), cpu_};
  });
}

std::vector<GeneratedResponse> TorchBackend::generate(const GenerateRequest& request, std::stop_token stop,
                                                      const ProgressSink& progress) {
  return translated("generate", [&] {
    use(request.model, progress);
    std::vector<GenerationPrompt> prompts;
    for (const GeneratePrompt& prompt : request.prompts) prompts.push_back({prompt.ids, prompt.seed});
    Generator& generator = generator_for(request.model, request.max_batch);
    std::vector<GeneratedResponse> responses;
    for (Generation& answer :
         generator.generate(prompts, request.sampling, stop, generation_progress("generate", progress))) {
      responses.push_back({std::move(answer.ids), std::move(answer.text), finish_reason_name(answer.finish_reason),
                           std::move(answer.logprobs)});
    }
    return responses;
  });
}

std::vector<std::vector<double>> TorchBackend::score(const ScoreRequest& request, std::stop_token stop,
                                                     const ProgressSink& progress) {
  return translated("score", [&] {
    use(request.model, progress);
    std::vector<ScoreSequence> sequences;
    for (const ScoreItem& item : request.items) sequences.push_back({item.ids, item.first});
    Generator& generator = generator_for(request.model, GeneratorOptions().max_batch);
    std::vector<std::vector<double>> result;
    for (Score& score : generator.score(sequences, stop, generation_progress("score", progress)))
      result.push_back(std::move(score.logprobs));
    return result;
  });
}

ExplainReply TorchBackend::explain(const ExplainRequest& request, std::stop_token stop, const ProgressSink& progress) {
  return translated("explain", [&] {
    const DecoderWeights& weights = use(request.model, progress).policy->weights();
    report(progress, {"explain", 0, 1, 0, Json()});
    const at::NoGradGuard no_grad;
    // A fresh LoRA's B is 0: the values are those that a training from this model begins with.
    TrainableLora lora(weights.config, LoraConfig(), 0, weights.dtype, weights.device);
    TrainingDecoderOptions options;
    options.dropout = false;
    TrainingDecoder decoder(weights, lora, options);
    TrainingExample example;
    example.kind = ExampleKind::kAlignN;
    example.prompt_ids = request.prompt_ids;
    example.prompt_judge_ids = request.prompt_judge_ids;
    example.response_ids = request.response_ids;
    const Explanation explanation = cutd::explain(decoder, request.objective, {&example, 1}, 1, false, stop);
    const ExampleExplanation& explained = explanation.examples.front();
    ExplainReply reply;
    reply.logprobs = finite_values(explained.log_probs.plain.log_p);
    reply.logprobs_with_judgment = finite_values(explained.log_probs.judged.log_p);
    for (const std::uint8_t detected : explained.constants.detected) reply.detected.push_back(detected != 0);
    report(progress, {"explain", 1, 1, 0, Json()});
    return reply;
  });
}

TrainReply TorchBackend::train(const TrainRequest& request, std::stop_token stop, const ProgressSink& progress) {
  return translated("train", [&] {
    const LoadedModel& model = use(request.model, progress);
    generator_.reset();
    // Its cache is one block of gigabytes that packs of many sizes would cut up badly: back to the driver.
    if (model.policy->weights().device.is_cuda()) CudaRuntime::instance().plugin().empty_cache();
    TrainingJob job;
    job.data = request.manifest;
    job.config = request.config;
    job.config.dtype = request.model.dtype;
    job.output_dir = request.output_dir;
    job.checkpoint_dir = request.checkpoint_dir;
    job.init_adapter_dir = request.init_adapter_dir;
    job.resume = true;
    const TrainingResult result = train_round(*model.policy, job, stop, training_events(progress));
    return TrainReply{result.steps, result.resumed_from_step, result.final_loss, result.metrics};
  });
}

MergeReply TorchBackend::merge(const MergeRequest& request, std::stop_token stop, const ProgressSink& progress) {
  return translated("merge", [&] {
    generator_.reset();
    spec_.reset();
    model_.reset();  // merging loads the model twice in turn
    MergeJob job;
    job.model_dir = request.model.model_dir;
    job.adapter_dir = request.model.adapter_dir;
    job.output_dir = request.output_dir;
    job.device = request.model.device;
    set_compute_threads(request.model.threads);
    return MergeReply{merge_model(job, stop, [&](std::int64_t done, std::int64_t total) {
      report(progress, {"merge", done, total, 0, Json()});
    })};
  });
}

}  // namespace cutd
