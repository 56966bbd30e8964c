#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "core/clock.h"
#include "core/error.h"
#include "core/signals.h"
#include "core/yaml.h"
#include "cutd_engine/command.h"
#include "cutd_engine/table_flags.h"
#include "model/device.h"
#include "trainer/trainer.h"

namespace cutd {
namespace {

struct TrainOptions {
  std::string model;
  std::string adapter;
  std::string data;
  std::string output;
  std::string config_file;
  std::string init_adapter;
  std::string checkpoints;
  std::string device = "auto";
  std::int64_t threads = 0;
  bool resume = false;
  bool json = false;
  TableFlags flags;
};

struct Settings {
  TrainConfig train;
  PromptTemplateConfig prompts;
};

void declare_settings(OptionTable& table, Settings& settings) {
  declare_train_options(table, settings.train);
  declare_template_options(table, settings.prompts);
}

// Defaults, then the file, then the flags.
Settings read_settings(const TrainOptions& options) {
  Settings settings;
  OptionTable table;
  declare_settings(table, settings);
  if (!options.config_file.empty()) table.load(read_yaml_file(options.config_file), options.config_file);
  options.flags.apply(table);
  return settings;
}

std::filesystem::path checkpoint_folder(const TrainOptions& options) {
  if (!options.checkpoints.empty()) return options.checkpoints;
  const std::filesystem::path output = std::filesystem::absolute(options.output).lexically_normal();
  return (output.has_filename() ? output : output.parent_path()).string() + ".checkpoints";
}

// Progress for people: a line that is rewritten on a terminal, else a line every few seconds.
class ProgressLine {
 public:
  void show(const StepReport& step) {
    const auto now = std::chrono::steady_clock::now();
    const bool last = step.step == step.last_step;
    if (!terminal_ && !last && now - shown_ < std::chrono::seconds(5)) return;
    shown_ = now;
    std::fprintf(stderr, "%sstep %lld/%lld, loss %.4f, %.0f tokens/s, %s left%s", terminal_ ? "\r\033[K" : "",
                 static_cast<long long>(step.step), static_cast<long long>(step.last_step), step.loss,
                 step.tokens_per_second, format_duration(step.remaining_seconds).c_str(),
                 terminal_ && !last ? "" : "\n");
    open_ = terminal_ && !last;
  }
  void say(const std::string& message) {
    std::fprintf(stderr, "%s%s\n", open_ ? "\n" : "", message.c_str());
    open_ = false;
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool open_ = false;  // the cursor stands behind a line that will be rewritten
  std::chrono::steady_clock::time_point shown_;
};

TrainingEvents show_events(ProgressLine& line, bool json) {
  TrainingEvents events;
  events.on_message = [&line](const std::string& message) { line.say(message); };
  events.on_step = [&line, json](const StepReport& step) {
    if (json) {
      std::printf("%s\n", to_json_text(step_json(step)).c_str());
      std::fflush(stdout);
    }
    line.show(step);
  };
  return events;
}

void conclude(const TrainingResult& result, const TrainingJob& job, ProgressLine& line) {
  const std::string output = job.output_dir.string();
  if (result.already_there)
    return line.say(output + " holds this training already, " + std::to_string(result.steps) + " steps: nothing to do");
  if (result.complete)
    std::filesystem::remove_all(job.checkpoint_dir);  // the adapter is published: nothing can be resumed
  line.say(output + ": adapter after " + std::to_string(result.steps) + " steps" +
           (result.complete ? "" : "; the data go on: more with --resume and a larger --max-steps"));
}

int run_train(const TrainOptions& options) {
  const Settings settings = read_settings(options);
  const SignalWatch signals;
  const at::Device device = parse_device(options.device);
  set_compute_threads(options.threads);
  TrainingJob job;
  job.data = options.data;
  job.prompts = settings.prompts;
  job.config = settings.train;
  job.output_dir = options.output;
  job.checkpoint_dir = checkpoint_folder(options);
  job.init_adapter_dir = options.init_adapter;
  job.resume = options.resume;
  ProgressLine line;
  try {
    Policy policy(options.model, parse_dtype(settings.train.dtype), device);
    policy.set_adapter(options.adapter);
    conclude(train_round(policy, job, signals.token(), show_events(line, options.json)), job, line);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    const bool kept = std::filesystem::exists(job.checkpoint_dir);
    line.say(kept ? "stopped; the steps so far are in " + job.checkpoint_dir.string() + ": go on with --resume"
                  : "stopped; nothing was kept");
  }
  return kExitDone;
}

}  // namespace

void add_train_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command = app.add_subcommand("train", "Train a LoRA from judged responses");
  command->add_option("--model", options->model, "Hugging Face folder")->required();
  command->add_option("--adapter", options->adapter, "PEFT adapter that is folded into the frozen base first");
  command->add_option("--data", options->data, "Triplets (JSON or JSON Lines) or a manifest (cutd-manifest/1)")
      ->required();
  command
      ->add_option("--output", options->output, "Folder of the adapter; must not exist unless --resume goes on with it")
      ->required();
  command->add_option("--config", options->config_file, "YAML file with the sections objective, lora, train, template");
  command->add_option("--init-adapter", options->init_adapter, "PEFT adapter whose values the training starts from");
  command->add_option("--checkpoints", options->checkpoints, "Folder of the checkpoints (default: OUTPUT.checkpoints)");
  command->add_flag("--resume", options->resume, "Go on from the newest checkpoint of this same training");
  command->add_option("--device", options->device, "auto, cpu or cuda:N")->capture_default_str();
  command->add_option("--threads", options->threads, "CPU threads (0: one per core)")->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object a step on standard output");
  Settings defaults;
  OptionTable table;
  declare_settings(table, defaults);
  options->flags.declare(*command, table);
  command->callback([options, &chosen] { chosen = [options] { return run_train(*options); }; });
}

}  // namespace cutd
