#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/error.h"
#include "core/json.h"
#include "core/signals.h"
#include "cutd_engine/command.h"
#include "cutd_engine/merged_model.h"
#include "model/device.h"

namespace cutd {
namespace {

struct MergeOptions {
  std::string model;
  std::string adapter;
  std::string output;
  std::string dtype;
  std::string device = "auto";
  std::int64_t threads = 0;
  bool json = false;
};

void run_merge(const MergeOptions& options, const std::stop_token& stop) {
  set_compute_threads(options.threads);
  MergeJob job;
  job.model_dir = options.model;
  job.adapter_dir = options.adapter;
  job.output_dir = options.output;
  job.dtype = options.dtype;
  job.device = options.device;
  const double difference = merge_model(job, stop, {});
  if (options.json) {
    std::printf("%s\n", to_json_text({{"output", options.output}, {"max_logit_difference", difference}}).c_str());
  } else {
    std::printf("%s: the base with the adapter folded in; largest logit difference %.3g\n", options.output.c_str(),
                difference);
  }
}

}  // namespace

void add_merge_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<MergeOptions>();
  CLI::App* command = app.add_subcommand("merge", "Fold an adapter into a copy of its base model");
  command->add_option("--model", options->model, "Hugging Face folder")->required();
  command->add_option("--adapter", options->adapter, "PEFT adapter folder")->required();
  command->add_option("--output", options->output, "Folder of the new model; must not exist")->required();
  command->add_option("--dtype", options->dtype, "Of the new model: float32 or bfloat16 (default: the base's)");
  command->add_option("--device", options->device, "Where old and new are compared: auto, cpu or cuda:N")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "CPU threads (0: one per core)")->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object: {\"output\", \"max_logit_difference\"}");
  command->callback([options, &chosen] {
    chosen = [options] { return run_stoppable([&](const std::stop_token& stop) { run_merge(*options, stop); }); };
  });
}

}  // namespace cutd
