#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/signals.h"
#include "cutd_engine/command.h"
#include "cutd_engine/table_flags.h"
#include "model/device.h"
#include "trainer/explanation.h"
#include "weights/safetensors_writer.h"

namespace cutd {
namespace {

struct ExplainOptions {
  std::string model;
  std::string adapter;
  std::string samples;
  std::string output;
  std::string gradients;
  std::string dtype = "float32";
  std::string device = "auto";
  std::int64_t threads = 0;
  std::int64_t micro_batch = 1;
  bool json = false;
  TableFlags flags;
};

ObjectiveConfig read_objective(const ExplainOptions& options) {
  ObjectiveConfig objective;
  OptionTable table;
  declare_objective_options(table, objective);
  options.flags.apply(table);
  return objective;
}

struct Sample {
  Json id;
  TrainingExample example;
};

std::vector<std::int64_t> read_ids(const Json& sample, const char* key, const ModelConfig& config,
                                   const std::string& origin) {
  std::vector<std::int64_t> ids = json_get<std::vector<std::int64_t>>(sample, key, origin);
  if (ids.empty()) throw_json_member(origin, key, "is empty");
  for (const std::int64_t id : ids) {
    if (id >= 0 && id < config.vocab_size) continue;
    throw_json_member(origin, key,
                      "has id " + std::to_string(id) + ", which is outside the model's vocabulary of " +
                          std::to_string(config.vocab_size));
  }
  return ids;
}

void check_length(const std::vector<std::int64_t>& prompt, const std::vector<std::int64_t>& response,
                  const ModelConfig& config, const std::string& origin) {
  const auto tokens = static_cast<std::int64_t>(prompt.size() + response.size());
  if (tokens <= config.max_position_embeddings) return;
  throw Error(ErrorCode::kBadInput, origin + ": " + std::to_string(tokens) + " ids are more than the model's " +
                                        std::to_string(config.max_position_embeddings));
}

Sample read_sample(const Json& value, const ModelConfig& config, const std::string& origin) {
  if (!value.is_object()) throw Error(ErrorCode::kBadInput, origin + " is not an object");
  Sample sample;
  if (value.contains("id")) sample.id = value.at("id");
  TrainingExample& example = sample.example;
  const std::string kind = json_get<std::string>(value, "kind", origin);
  if (kind != "align_p" && kind != "align_n")
    throw_json_member(origin, "kind", "is \"align_p\" or \"align_n\", not \"" + kind + "\"");
  example.kind = example_kind_from_name(kind);
  example.prompt_ids = read_ids(value, "prompt_ids", config, origin);
  example.response_ids = read_ids(value, "response_ids", config, origin);
  check_length(example.prompt_ids, example.response_ids, config, origin);
  if (example.kind == ExampleKind::kAlignN) {
    example.prompt_judge_ids = read_ids(value, "prompt_judge_ids", config, origin);
    check_length(example.prompt_judge_ids, example.response_ids, config, origin);
  }
  return sample;
}

// {"pool": [...]}, {"samples": [...]} or the list itself.
std::vector<Sample> read_samples(const std::filesystem::path& path, const ModelConfig& config) {
  const Json file = read_json_file(path);
  const Json* list = &file;
  if (file.is_object()) {
    for (const char* key : {"pool", "samples"}) {
      if (file.contains(key)) list = &file.at(key);
    }
  }
  if (!list->is_array())
    throw Error(ErrorCode::kBadInput,
                path.string() + ": a list of samples is wanted, or an object with \"samples\" or \"pool\"");
  if (list->empty()) throw Error(ErrorCode::kBadInput, path.string() + ": there is no sample in it");
  std::vector<Sample> samples;
  for (const Json& value : *list)
    samples.push_back(read_sample(value, config, path.string() + ": sample " + std::to_string(samples.size() + 1)));
  return samples;
}

// JSON has no such numbers.
Json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

template <typename Values>
Json numbers(const Values& values) {
  Json list = Json::array();
  for (const auto value : values) list.push_back(number(static_cast<double>(value)));
  return list;
}

Json sample_json(const Sample& sample, const ExampleExplanation& explained, bool released, std::size_t counted) {
  Json result = {{"id", sample.id},
                 {"kind", example_kind_name(sample.example.kind)},
                 {"logp_plain", numbers(explained.log_probs.plain.log_p)}};
  const bool criticised = sample.example.kind == ExampleKind::kAlignN;
  result["logp_judge"] = criticised ? numbers(explained.log_probs.judged.log_p) : Json();
  result["ratio"] = numbers(explained.ratios);
  result["detected"] = Json::array();
  for (const std::uint8_t detected : explained.constants.detected) result["detected"].push_back(detected != 0);
  result["weight"] = numbers(explained.constants.unlikelihood_weight);
  result["loss"] = explained.counted ? number(explained.terms.loss * static_cast<double>(counted)) : Json();
  result[released ? "unlike" : "l1"] =
      criticised && explained.counted ? number(explained.terms.unlikelihood_term) : Json();
  result[released ? "like" : "l2"] = explained.counted ? number(explained.terms.likelihood_term) : Json();
  return result;
}

Json micro_batch_json(const MicroBatchTerms& terms) {
  return {{"like", number(terms.like)},
          {"unlike", terms.unlike ? number(*terms.unlike) : Json()},
          {"loss", number(terms.loss)}};
}

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

void write_gradients(const std::filesystem::path& path, const NamedTensors& gradients) {
  std::vector<at::Tensor> values;
  std::vector<TensorView> views;
  for (const auto& [name, gradient] : gradients) {
    const at::Tensor& own = values.emplace_back(gradient.to(at::kCPU).contiguous());
    const auto* bytes = static_cast<const std::byte*>(own.const_data_ptr());
    views.push_back({name, DType::kF32, own.sizes().vec(), {bytes, static_cast<std::size_t>(own.nbytes())}});
  }
  write_safetensors(path, views);
}

void print_summary(const ExplainOptions& options, const Json& result, const Explanation& explanation) {
  std::size_t tokens = 0;
  std::size_t detected = 0;
  for (const ExampleExplanation& example : explanation.examples) {
    tokens += example.constants.detected.size();
    for (const std::uint8_t one : example.constants.detected) detected += one;
  }
  const double norm = result.at("grad_norm").get<double>();
  if (options.json) {
    const Json summary = {{"loss", result.at("loss")}, {"samples", explanation.examples.size()},
                          {"detected", detected},      {"tokens", tokens},
                          {"grad_norm", norm},         {"output", options.output}};
    std::printf("%s\n", to_json_text(summary).c_str());
    return;
  }
  std::printf("loss %.6g over %zu samples; %zu of %zu tokens of criticised responses detected", explanation.loss,
              explanation.counted, detected, tokens);
  if (!options.adapter.empty()) std::printf("; gradient norm %.6g", norm);
  std::printf("\n");
}

void run_explain(const ExplainOptions& options, const std::stop_token& stop) {
  const ObjectiveConfig objective = read_objective(options);
  const bool gradient = !options.adapter.empty();
  if (!gradient && !options.gradients.empty()) {
    throw Error(ErrorCode::kUsage, "--gradients needs --adapter: the gradient is that of the adapter's matrices");
  }
  const at::NoGradGuard no_grad;
  const at::Device device = parse_device(options.device);
  const at::ScalarType dtype = parse_dtype(options.dtype);
  set_compute_threads(options.threads);
  const DecoderWeights weights = load_decoder_weights(options.model, dtype, device);
  const std::vector<Sample> samples = read_samples(options.samples, weights.config);
  std::vector<TrainingExample> batch;
  for (const Sample& sample : samples) batch.push_back(sample.example);

  const std::unique_ptr<TrainableLora> lora =
      gradient
          ? std::make_unique<TrainableLora>(weights.config, read_adapter(options.adapter, weights.config), 0, dtype,
                                            device)
          : std::make_unique<TrainableLora>(weights.config, LoraConfig(), 0, dtype, device);  // B is 0: the base itself
  TrainingDecoderOptions decoder_options;
  decoder_options.dropout = false;
  TrainingDecoder decoder(weights, *lora, decoder_options);
  const Explanation explanation =
      explain(decoder, objective, batch, static_cast<std::size_t>(options.micro_batch), gradient, stop);

  const bool released = objective.variant == "released";
  Json result = {{"loss", number(explanation.loss)}, {"samples", Json::array()}};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    result["samples"].push_back(sample_json(samples[i], explanation.examples[i], released, explanation.counted));
  }
  if (released) {
    result["micro_batches"] = Json::array();
    for (const MicroBatchTerms& terms : explanation.micro_batches)
      result["micro_batches"].push_back(micro_batch_json(terms));
  }
  const NamedTensors gradients = gradient ? lora->named_gradients() : NamedTensors();
  result["grad_norms"] = Json::object();
  for (const auto& [name, value] : gradients) result["grad_norms"][name] = value.norm(2, at::kDouble).item<double>();
  result["grad_norm"] = lora->gradients().norm(2, at::kDouble).item<double>();
  if (!options.gradients.empty()) write_gradients(options.gradients, gradients);
  write_file_durably(options.output, to_json_text(result) + "\n");
  print_summary(options, result, explanation);
}

}  // namespace

void add_explain_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* command =
      app.add_subcommand("explain",
                         "What the objective makes of samples: token probabilities with and without the judgment, "
                         "the detected set, each term, the loss and the gradient's norms");
  command->add_option("--model", options->model, "Hugging Face folder")->required();
  command->add_option("--adapter", options->adapter,
                      "PEFT adapter, unmerged, with its own dropout off; without it there is no gradient");
  command
      ->add_option(
          "--samples", options->samples,
          "JSON: a list of {\"id\", \"kind\": \"align_p\"|\"align_n\", \"prompt_ids\", \"response_ids\", and for "
          "align_n \"prompt_judge_ids\"}, bare or under \"samples\" or \"pool\"")
      ->required();
  command
      ->add_option(
          "--output", options->output,
          "JSON: {\"loss\", \"samples\", \"grad_norms\"}; numbers that are not finite are the texts inf, -inf, nan")
      ->required();
  command->add_option("--gradients", options->gradients, "Safetensors of the whole gradient, named as in the adapter");
  command->add_option("--micro-batch", options->micro_batch, "Samples per micro-batch of the released variant")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--dtype", options->dtype, "float32 or bfloat16")->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda:N")->capture_default_str();
  command->add_option("--threads", options->threads, "CPU threads (0: one per core)")->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object on standard output instead of a sentence");
  ObjectiveConfig defaults;
  OptionTable table;
  declare_objective_options(table, defaults);
  options->flags.declare(*command, table, "Objective, named as in a training's configuration");
  command->footer(
      "The sample's loss is such that the batch loss is the mean over samples. Terms: l1, l2 (paper) or like, unlike "
      "(released).\n"
      "Example:\n  cutd-engine explain --model MODEL --adapter ADAPTER --samples samples.json --objective cut "
      "--variant paper \\\n"
      "    --lambda 1.1 --alpha 1 --gamma 1 --output out.json --gradients gradients.safetensors");
  command->callback([options, &chosen] {
    chosen = [options] { return run_stoppable([&](const std::stop_token& stop) { run_explain(*options, stop); }); };
  });
}

}  // namespace cutd
