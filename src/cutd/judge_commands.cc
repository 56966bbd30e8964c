#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "core/credentials.h"
#include "core/error.h"
#include "core/signals.h"
#include "core/yaml.h"
#include "cutd/annotator_file.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/daemon.h"
#include "cutd/data_dir.h"
#include "cutd/judge_trial_view.h"
#include "cutd/output.h"
#include "cutd/run_estimate.h"
#include "engine/client.h"
#include "judge_client/llm_annotator.h"
#include "judge_client/make_llm_judge.h"
#include "llm_api/model_list.h"
#include "round/engine_judge.h"
#include "store/judgments.h"
#include "store/store.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

struct JudgeOptions {
  std::string data_dir;
  std::string config;
  std::string annotator;
  std::string items;
  std::string proxy;
  std::int64_t count = 10;
  double budget = -1;
  bool json = false;
};

// --- test --------------------------------------------------------------------------------------------

// An engine of the trial's own: a daemon may be using its.
std::unique_ptr<EngineClient> trial_engine(const AnnotatorConfig& annotator, const Clock& clock, Logger& logger) {
  if (!asks_engine(annotator)) return nullptr;
  EngineProcessOptions options;
  options.program = find_engine_program();
  return std::make_unique<EngineClient>(options, clock, logger);
}

// A person waits: no parking, and one retry tells a hiccup from a fault.
std::unique_ptr<Judge> trial_judge(const AnnotatorConfig& annotator, const fs::path& data_dir, Engine* engine,
                                   const Clock& clock) {
  if (engine != nullptr) return make_engine_judge(annotator.llm, *engine, data_dir);
  if (!asks_over_http(annotator)) return make_judge(annotator);
  const std::string& name = annotator.llm.api_key_name;
  LlmJudgeOptions options = llm_judge_options(annotator.llm, name.empty() ? "" : find_credential(name, data_dir));
  options.client.retry.sends = 2;
  options.client.retry.parks = 0;
  return std::make_unique<LlmJudge>(std::move(options), clock);
}

std::int64_t trial_budget(const JudgeOptions& options, const AnnotatorConfig& annotator, std::size_t items) {
  const double dollars = options.budget >= 0 ? options.budget : annotator.llm.caps.request * static_cast<double>(items);
  return asks_over_http(annotator) ? micros_of(dollars) : 0;
}

// What the server says that it serves, where an item failed for what may be the model's name.
std::string hint_on_model(const AnnotatorConfig& annotator, const Trial& trial, const fs::path& data_dir) {
  if (!asks_over_http(annotator)) return "";
  const auto may_be_the_model = [](const std::string& reason) {
    return reason.find("HTTP 404") != std::string::npos || reason.find("model") != std::string::npos;
  };
  bool suspected = trial.halted && may_be_the_model(*trial.halted);
  for (const auto& [reason, items] : trial_reasons(trial)) suspected = suspected || may_be_the_model(reason);
  if (!suspected) return "";
  const std::string& name = annotator.llm.api_key_name;
  const ChatClientOptions client =
      llm_judge_options(annotator.llm, name.empty() ? "" : find_credential(name, data_dir)).client;
  return advice_on_model(annotator.llm.model, fetch_model_list(client.endpoint, client.http));
}

AnnotatorConfig trial_annotator(const JudgeOptions& options) {
  AnnotatorConfig annotator = choose_annotator(read_annotator_file(options.config), options.annotator, options.config);
  if (!options.proxy.empty()) annotator.llm.proxy = options.proxy;
  return annotator;
}

int run_test(const JudgeOptions& options) {
  const AnnotatorConfig annotator = trial_annotator(options);
  std::vector<TrialItem> items = options.items.empty()
                                     ? built_in_trial_items()
                                     : read_trial_items(options.items, static_cast<std::size_t>(options.count));
  if (items.size() > static_cast<std::size_t>(options.count)) items.resize(static_cast<std::size_t>(options.count));
  const SignalWatch signals;
  const SystemClock clock;
  make_data_dir(options.data_dir);
  NullLogger logger;
  const std::unique_ptr<EngineClient> engine = trial_engine(annotator, clock, logger);
  const std::unique_ptr<Judge> judge = trial_judge(annotator, options.data_dir, engine.get(), clock);
  Trial trial = run_trial(*judge, items, annotator.name, trial_budget(options, annotator, items.size()),
                          options.data_dir, clock, signals.token());
  trial.hint = hint_on_model(annotator, trial, options.data_dir);
  if (options.json) print_json(trial_json(annotator, items, trial));
  else print_text(trial_text(annotator, items, trial));
  const std::optional<std::string> advice = trial_advice(annotator, trial);
  if (!advice) return kExitDone;
  fmt::print(stderr, "cutd: {}\n", *advice);
  return kExitRunFailed;
}

// --- list --------------------------------------------------------------------------------------------

std::string key_state(const AnnotatorConfig& annotator, const fs::path& data_dir) {
  if (!asks_over_http(annotator) || annotator.llm.api_key_name.empty()) return "none needed";
  try {
    find_credential(annotator.llm.api_key_name, data_dir);
    return "found";
  } catch (const Error& error) {
    return error.what();
  }
}

Json annotator_row(const AnnotatorConfig& annotator, const fs::path& data_dir) {
  const bool llm = asks_a_model(annotator);
  Json row = {{"name", annotator.name}, {"kind", annotator.kind}, {"version", annotator_version(annotator)}};
  const auto word = [&](const std::string& text) { return llm && !text.empty() ? Json(text) : Json(); };
  row["model"] = word(annotator.llm.model);
  row["base_url"] = word(annotator.llm.base_url);
  row["api_key_name"] = word(annotator.llm.api_key_name);
  row["key"] = key_state(annotator, data_dir);
  if (llm) {
    const LlmAnnotator& config = annotator.llm;
    row["price"] = {{"input", config.price.input}, {"output", config.price.output}};
    row["caps"] = {{"request", config.caps.request},
                   {"round", config.caps.round},
                   {"day", config.caps.day},
                   {"total", config.caps.total}};
  }
  return row;
}

std::vector<AnnotatorConfig> stored_annotators(const fs::path& data_dir) {
  std::vector<AnnotatorConfig> annotators;
  for (const Annotator& row : StoreReader(data_dir).read([](Reader& reader) { return list_annotators(reader); })) {
    if (row.kind == "rule" || row.kind == "llm" || row.kind == "batch")
      annotators.push_back(parse_annotator(row.config.parse(), "annotator " + row.name));
  }
  return annotators;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

int print_judges(const JudgeOptions& options) {
  const std::vector<AnnotatorConfig> annotators =
      options.config.empty() ? stored_annotators(options.data_dir) : read_annotator_file(options.config);
  Json rows = Json::array();
  for (const AnnotatorConfig& annotator : annotators) rows.push_back(annotator_row(annotator, options.data_dir));
  if (options.json) {
    print_json({{"annotators", rows}, {"prompts", built_in_judging_prompts()}});
    return kExitDone;
  }
  print_text(
      table_of(rows, {{"name", "name"}, {"kind", "kind"}, {"model", "model"}, {"key", "key"}, {"version", "version"}}));
  fmt::print("built-in judging prompts: {}\n", joined(built_in_judging_prompts()));
  return kExitDone;
}

// --- estimate ----------------------------------------------------------------------------------------

int run_estimate(const JudgeOptions& options, const std::vector<ConfigOverride>& overrides) {
  const RunConfig config = parse_run_config(read_yaml_file(options.config), options.config, overrides);
  const RunEstimate estimate = estimate_run(config, fs::absolute(options.config).parent_path(), options.data_dir);
  if (options.json) print_json(run_estimate_json(estimate));
  else print_text(run_estimate_text(estimate));
  return kExitDone;
}

CLI::App* add_judge_command(CLI::App& group, const char* name, const char* help,
                            const std::shared_ptr<JudgeOptions>& options) {
  CLI::App* command = group.add_subcommand(name, help);
  add_data_dir_option(*command, options->data_dir);
  command->add_flag("--json", options->json, "Print JSON");
  return command;
}

}  // namespace

void add_judge_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("judge", "Annotators: try one, list them, see what a run will cost");
  group->require_subcommand(1);
  const auto options = std::make_shared<JudgeOptions>();

  CLI::App* test =
      add_judge_command(*group, "test", "Try an annotator on a few items: verdicts, tokens, cost, time", options);
  test->add_option("--config", options->config, "YAML: a run's configuration, or one annotator")->required();
  test->add_option("--annotator", options->annotator, "Which of them (default: the first)");
  test->add_option("--items", options->items,
                   "JSON Lines of {\"instruction\", \"response\", \"reference\"?} (default: ten built-in ones)");
  test->add_option("--count", options->count, "How many items")->check(CLI::Range(1, 1000))->capture_default_str();
  test->add_option("--budget", options->budget, "Most dollars of this trial (default: caps.request times the items)")
      ->check(CLI::NonNegativeNumber);
  test->add_option("--proxy", options->proxy,
                   "http://host:port to go through (default: llm.proxy; those of the environment are not used)");
  test->footer(
      "Exit code 4: an item got no verdict; standard error says what to do. What it pays is kept in "
      "DATA/trials.jsonl.\n"
      "Example: cutd judge test --config examples/judge-openai.yaml --count 3");
  test->callback([options, &chosen] { chosen = [options] { return run_test(*options); }; });

  CLI::App* list = add_judge_command(*group, "list", "Annotators of the folder, or of a configuration", options);
  list->add_option("--config", options->config, "YAML: a run's configuration, or one annotator");
  list->callback([options, &chosen] { chosen = [options] { return print_judges(*options); }; });

  CLI::App* estimate = add_judge_command(
      *group, "estimate", "Calls, tokens and dollars of a round and of a run, before it is started", options);
  estimate->add_option("--config", options->config, "YAML: a run's configuration")->required();
  estimate->callback([options, &chosen] { chosen = [options] { return run_estimate(*options, {}); }; });
}

}  // namespace cutd
