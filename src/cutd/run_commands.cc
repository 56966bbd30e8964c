#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <thread>

#include "core/error.h"
#include "core/yaml.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/config_flags.h"
#include "cutd/data_dir.h"
#include "cutd/follow.h"
#include "cutd/output.h"
#include "cutd/run_estimate.h"
#include "cutd/run_table.h"
#include "round/report.h"
#include "round/run_config.h"
#include "round/run_plan.h"
#include "round/run_start.h"
#include "store/store.h"

namespace cutd {
namespace {

struct RunOptions {
  std::string data_dir;
  std::string config;
  std::int64_t run = 0;
  std::string why = "asked by the operator";
  bool json = false;
  bool follow = false;
  bool acknowledge = false;
  std::string report;
  bool dry_run = false;
  PlanAssumptions assumed;
  std::vector<ConfigOverride> overrides;
};

std::string run_path(const RunOptions& options) { return "/api/v1/runs/" + std::to_string(options.run); }

// Reads the configuration's files and the model's config.json alone; no daemon, no request, no row.
int print_plan(const RunOptions& options, const RunConfig& config, const std::filesystem::path& folder) {
  PlanAssumptions assumed = options.assumed;
  assumed.cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  assumed.gpu = config.device.starts_with("cuda") ||
                (config.device == "auto" && std::filesystem::exists("/proc/driver/nvidia/version"));
  const ModelConfig model = read_model_config(find_model(config.model, options.data_dir));
  const InstructionSets sets = read_instruction_sets(config.data, files_beside(folder));
  const RunPlan plan = plan_run(config, model, sets, assumed, plan_extras(config, folder, sets, assumed));
  if (options.json) print_json(run_plan_json(plan));
  else print_text(run_plan_text(plan));
  return kExitDone;
}

int run_start(const RunOptions& options) {
  const Json config = read_yaml_file(options.config);
  // Mistakes are named before anyone is asked.
  const RunConfig parsed = parse_run_config(config, options.config, options.overrides);
  const auto folder = std::filesystem::absolute(options.config).parent_path();
  if (options.dry_run) return print_plan(options, parsed, folder);
  Json overrides = Json::array();
  for (const ConfigOverride& override : options.overrides)
    overrides.push_back({{"key", override.key}, {"text", override.text}});
  if (asks_anyone_over_http(parsed))
    fmt::print(stderr, "{}", run_estimate_text(estimate_run(parsed, folder, options.data_dir)));
  ApiClient api(options.data_dir);
  const Json reply =
      api.post("/api/v1/runs",
               {{"config", config}, {"origin", options.config}, {"folder", folder.string()}, {"overrides", overrides}});
  if (options.json) print_json(reply);
  else fmt::print("run {} started\n", reply.at("id").get<std::int64_t>());
  return options.follow ? follow_run(api, reply.at("id").get<std::int64_t>(), options.json) : kExitDone;
}

int print_runs(const RunOptions& options) {
  const Json runs = ApiClient(options.data_dir).get("/api/v1/runs").at("runs");
  if (options.json) print_json(runs);
  else
    print_text(table_of(runs, {{"run", "id"},
                               {"name", "name"},
                               {"state", "state"},
                               {"rounds", "rounds_completed"},
                               {"of", "round_count"},
                               {"started", "created_at"},
                               {"reason", "reason"}}));
  return kExitDone;
}

// Straight from the store, which may be read beside a daemon.
int write_run_report(const RunOptions& options) {
  const auto data_dir = std::filesystem::absolute(options.data_dir).lexically_normal();
  StoreReader(data_dir).read(
      [&](Reader& reader) { write_report(reader, RunId{options.run}, data_dir, options.report); });
  if (options.json) print_json({{"id", options.run}, {"report", std::filesystem::absolute(options.report).string()}});
  else fmt::print("the report of run {} is in {}\n", options.run, options.report);
  return kExitDone;
}

int run_status(const RunOptions& options) {
  ApiClient api(options.data_dir);
  if (options.follow) return follow_run(api, options.run, options.json);
  if (!options.report.empty()) return write_run_report(options);
  const Json run = api.get(run_path(options));
  if (options.json) {
    print_json(run);
    return kExitDone;
  }
  print_text(run_text(run));
  if (run.at("state") != "active") return kExitDone;
  // Of the whole daemon: judges are named by annotator, and runs share them.
  print_text(troubles_text(api.get("/api/v1/status").at("judge_troubles")));
  return kExitDone;
}

int command_run(const RunOptions& options, const std::string& command, const std::string& done,
                const std::string& state) {
  Json body{{"why", options.why}};
  if (options.acknowledge) body["acknowledge"] = true;
  ApiClient(options.data_dir).post(run_path(options) + "/" + command, body);
  if (options.json) print_json({{"id", options.run}, {"state", state}});
  else fmt::print("run {} {}\n", options.run, done);
  return kExitDone;
}

CLI::App* add_run_command(CLI::App& group, const std::string& name, const std::string& help,
                          const std::shared_ptr<RunOptions>& options, CommandAction& chosen,
                          std::function<int(const RunOptions&)> action) {
  CLI::App* command = group.add_subcommand(name, help);
  add_data_dir_option(*command, options->data_dir);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, action, &chosen] { chosen = [options, action] { return action(*options); }; });
  return command;
}

}  // namespace

void add_run_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("run", "Series of rounds: start, watch, steer");
  group->require_subcommand(1);
  const auto options = std::make_shared<RunOptions>();

  CLI::App* start =
      add_run_command(*group, "start", "Start a run from a configuration file", options, chosen, run_start);
  start->add_option("--config", options->config, "YAML file; examples/demo.yaml is a complete one")->required();
  start->add_flag("--follow", options->follow, "Watch it until it ends; exit code 4 when it fails");
  start->add_flag("--dry-run", options->dry_run, "Print calls, cost, memory and time; start nothing");
  start->add_option("--response-tokens", options->assumed.response_tokens, "--dry-run: tokens of a typical response")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  start->add_option("--judge-seconds", options->assumed.judge_seconds, "--dry-run: of one judge call")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  start->add_option("--generation-speed", options->assumed.generation_tokens_per_second,
                    "--dry-run: tokens/s (default: from the model's size)");
  start->add_option("--training-speed", options->assumed.training_tokens_per_second,
                    "--dry-run: tokens/s (default: from the model's size)");
  add_config_flags(*start, options->overrides);
  start->footer("Example: cutd run start --config examples/demo.yaml --run.rounds 5 --learning-rate 5e-4");

  add_run_command(*group, "list", "Runs of the folder", options, chosen, print_runs);
  CLI::App* status =
      add_run_command(*group, "status", "One run: its rounds, scores and adapters", options, chosen, run_status);
  status->add_option("run", options->run, "Number of the run")->required();
  status->add_flag("--follow", options->follow, "Watch it until it ends");
  status->add_option("--report", options->report, "Write its HTML report to this file")->excludes("--follow");

  struct Steering {
    std::string name, done, state, help;
  };
  for (const Steering& steering : {Steering{"pause", "paused", "paused", "Stop working on a run; nothing is lost"},
                                   Steering{"resume", "resumed", "active", "Go on with a paused run"},
                                   Steering{"cancel", "cancelled", "cancelled", "End a run for good"}}) {
    CLI::App* command =
        add_run_command(*group, steering.name, steering.help, options, chosen, [steering](const RunOptions& parsed) {
          return command_run(parsed, steering.name, steering.done, steering.state);
        });
    command->add_option("run", options->run, "Number of the run")->required();
    command->add_option("--why", options->why, "Kept in the history")->capture_default_str();
    if (steering.name == "resume") {
      command->add_flag("--acknowledge", options->acknowledge,
                        "The judgments that raised the alarm were looked at and are fit to train on");
    }
  }
}

}  // namespace cutd
