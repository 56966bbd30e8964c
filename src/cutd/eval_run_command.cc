#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/credentials.h"
#include "core/error.h"
#include "core/files.h"
#include "core/signals.h"
#include "core/yaml.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/eval_run_view.h"
#include "cutd/output.h"
#include "cutd/terminal.h"
#include "judge_client/llm_annotator.h"
#include "pairwise/annotate.h"
#include "pairwise/head_to_head.h"
#include "round/run_config.h"
#include "round/run_summary.h"
#include "store/lineage.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

struct EvalRunOptions {
  std::string data_dir;
  std::string config;
  std::int64_t run = 0;
  std::string subject = "kept";
  std::string outputs;
  std::string reference;
  std::string evaluator;
  std::string output;
  std::string base_url;
  std::string model;
  std::string api_key_name;
  double max_usd = 0;
  double max_usd_per_request = 0;
  AnnotateOptions annotate;
  std::int64_t max_in_flight = 64;
  std::int64_t max_count = 0;
  bool estimate = false;
  bool json = false;
};

std::string api_key(const EvalRunOptions& options) {
  const std::string& name = options.annotate.evaluator.api_key_name;
  return name.empty() ? "" : find_credential(name, options.data_dir);
}

// What the flags leave open, from the section "pairwise" of a run's configuration.
void take_config(EvalRunOptions& options) {
  const PairwiseConfig config = parse_run_config(read_yaml_file(options.config), options.config).pairwise;
  const auto take = [](std::string& flag, const std::string& value) {
    if (flag.empty()) flag = value;
  };
  if (config.evaluator.empty())
    throw Error(ErrorCode::kUsage, options.config + ": key \"pairwise.evaluator\" is missing: who judges the pairs");
  const auto beside = [&](const std::string& name) {
    return (fs::absolute(options.config).parent_path() / name).string();
  };
  take(options.evaluator, is_evaluator_file(config.evaluator) ? beside(config.evaluator) : config.evaluator);
  if (!config.reference.empty()) take(options.reference, beside(config.reference));
  take(options.base_url, config.base_url);
  take(options.model, config.model);
  if (options.api_key_name == "\n") options.api_key_name = config.api_key_name;
  if (options.max_usd == 0) options.max_usd = config.max_usd;
  if (options.annotate.rate.max_rpm == 0) options.annotate.rate.max_rpm = config.max_rpm;
  options.annotate.http.allow_http = options.annotate.http.allow_http || config.allow_http;
  for (const std::string& range : config.allow_private) options.annotate.http.allow_private.push_back(range);
  take(options.annotate.http.proxy, config.proxy);
  options.annotate.evaluator.accepted_models = config.accepted_models;
}

// The answers of a run's kept (or untrained) model to the report set, written in AlpacaEval's format under
// DATA/pairwise.
void take_run_outputs(EvalRunOptions& options) {
  const fs::path data_dir = fs::absolute(options.data_dir).lexically_normal();
  std::vector<ModelOutput> outputs;
  StoreReader(data_dir).read([&](Reader& reader) {
    const RunSummary summary = summarize_run(reader, RunId{options.run}, data_dir);
    const auto& score = options.subject == "kept" ? summary.report_kept : summary.report_untrained;
    if (!score) {
      throw Error(ErrorCode::kConflict,
                  fmt::format("run {} has not answered the report set yet: it does when it ends", options.run));
    }
    const std::string generator = fmt::format("{}-run{}-{}", summary.name, options.run, options.subject);
    for (const EvaluatedOutput& row : list_evaluated_outputs(reader, score->evaluation)) {
      const std::string instruction = row.input.empty() ? row.instruction : row.instruction + "\n" + row.input;
      outputs.push_back({instruction, row.output, generator, Json::object()});
    }
  });
  fs::create_directories(data_dir / "pairwise");
  const fs::path path = data_dir / "pairwise" / fmt::format("run-{}-{}.outputs.json", options.run, options.subject);
  write_file_durably(path, to_json_text(model_outputs_json(outputs), 2) + "\n");
  options.outputs = path.string();
}

void settle(EvalRunOptions& options) {
  if (!options.config.empty()) take_config(options);
  if (options.run > 0) take_run_outputs(options);
  if (options.outputs.empty() || options.reference.empty())
    throw Error(ErrorCode::kUsage, "cutd eval run needs --outputs (or --run) and --reference (or --config)");
  const std::vector<std::string> accepted = options.annotate.evaluator.accepted_models;
  PairwiseEvaluator& evaluator = options.annotate.evaluator;
  evaluator = read_evaluator(options.evaluator.empty() ? "alpaca_eval_gpt4" : options.evaluator);
  if (!accepted.empty()) evaluator.accepted_models = accepted;
  if (!options.base_url.empty()) evaluator.base_url = options.base_url;
  if (!options.model.empty()) evaluator.model = options.model;
  if (options.api_key_name != "\n") evaluator.api_key_name = options.api_key_name;
  options.annotate.max_cost = micros_of(options.max_usd);
  options.annotate.max_request_cost = micros_of(options.max_usd_per_request);
  options.annotate.http.max_in_flight = static_cast<std::size_t>(options.max_in_flight);
  if (options.output.empty()) {
    const fs::path outputs = options.outputs;
    options.output =
        (outputs.parent_path() / (outputs.stem().string() + "." + evaluator.name + ".annotations.json")).string();
  }
  options.annotate.journal = options.output + ".journal";
}

std::string progress_text(const AnnotateProgress& now) {
  return fmt::format("{} of {} pairs judged, {} spent", now.identical + now.reused + now.finished, now.pairs,
                     eval_dollars(now.spent));
}

int print_estimate(const EvalRunOptions& options, const std::vector<PairAnnotation>& pairs) {
  const AnnotateEstimate estimate = estimate_annotation(pairs, options.annotate.evaluator);
  if (options.json) {
    print_json({{"pairs", pairs.size()},
                {"calls", estimate.calls},
                {"most_usd", static_cast<double>(estimate.most_cost) / 1e6}});
  } else {
    fmt::print("{} pairs, {} calls, at most {}\n", pairs.size(), estimate.calls, eval_dollars(estimate.most_cost));
  }
  return kExitDone;
}

int run_eval_run(EvalRunOptions options) {
  settle(options);
  std::vector<PairAnnotation> pairs = join_outputs(
      read_model_outputs(options.reference), read_model_outputs(options.outputs), options.annotate.evaluator.name);
  if (options.max_count > 0 && pairs.size() > static_cast<std::size_t>(options.max_count))
    pairs.resize(static_cast<std::size_t>(options.max_count));
  if (options.estimate) return print_estimate(options, pairs);
  options.annotate.key = api_key(options);
  const SignalWatch signals;
  const SystemClock clock;
  const bool redraw = terminal_width(stderr) > 0;
  std::int64_t shown_at = clock.boot_millis();
  const AnnotateResult result =
      annotate_pairs(std::move(pairs), options.annotate, clock, signals.token(), [&](const AnnotateProgress& now) {
        if (clock.boot_millis() - shown_at < (redraw ? 100 : 10'000)) return;
        shown_at = clock.boot_millis();
        const std::string text = progress_text(now);
        std::fputs((redraw ? "\r" + text + "\033[K" : text + "\n").c_str(), stderr);
      });
  if (redraw) fmt::print(stderr, "\r\033[K");
  write_file_durably(options.output, to_json_text(annotations_json(result.annotations), 2) + "\n");
  if (options.json) print_json(eval_run_json(result, options.output));
  else print_text(eval_run_text(result, options.output));
  const std::string advice = eval_run_advice(result);
  std::fputs(advice.c_str(), stderr);
  return advice.empty() ? kExitDone : kExitRunFailed;
}

void add_limits(CLI::App& command, const std::shared_ptr<EvalRunOptions>& options) {
  command.add_option("--max-usd", options->max_usd,
                     "Most dollars in all, earlier calls of the same output included; mandatory for an evaluator with "
                     "a price, and the only cap here: those of annotators do not cover it");
  command.add_option("--max-usd-per-request", options->max_usd_per_request, "Most dollars of one request");
  command.add_option("--max-in-flight", options->max_in_flight, "Most requests at once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--max-rpm", options->annotate.rate.max_rpm, "Requests a minute (0: no limit)");
  command.add_option("--max-tpm", options->annotate.rate.max_tpm, "Tokens a minute (0: no limit)");
  command.add_option("--max-count", options->max_count, "Only the first pairs (0: all)");
  command.add_flag("--allow-http", options->annotate.http.allow_http, "Permit http:// (a server on this machine)");
  command.add_option("--allow-private", options->annotate.http.allow_private, "Private address ranges to permit");
  command.add_option("--ca-file", options->annotate.http.ca_file, "Certificates to trust instead of the system's");
  command.add_option("--proxy", options->annotate.http.proxy,
                     "http://host:port to go through (those of the environment are not used)");
  command.add_flag("--resend-unknown", options->annotate.resend_unknown,
                   "Ask again where an answer was lost, though it may be charged twice");
}

}  // namespace

void add_eval_run_command(CLI::App& group, CommandAction& chosen) {
  const auto options = std::make_shared<EvalRunOptions>();
  options->api_key_name = "\n";
  CLI::App* command = group.add_subcommand("run", "Judge a model's outputs against reference outputs");
  command->add_option("--outputs", options->outputs, "The model's, in AlpacaEval's format");
  command->add_option("--reference", options->reference, "The reference's, in AlpacaEval's format");
  add_data_dir_option(*command, options->data_dir);
  command->add_option("--run", options->run, "Instead of --outputs: what a run's model answered to its report set")
      ->excludes("--outputs");
  command->add_option("--subject", options->subject, "--run: the kept or the untrained model")
      ->check(CLI::IsMember({"kept", "untrained"}))
      ->capture_default_str();
  command->add_option("--config", options->config, "Evaluator, reference and limits from its section \"pairwise\"");
  command
      ->add_option("--evaluator", options->evaluator,
                   "alpaca_eval_gpt4, weighted_alpaca_eval_gpt4_turbo or a YAML file")
      ->default_str("alpaca_eval_gpt4");
  command->add_option("--output", options->output, "Annotations to write (default: beside the outputs)");
  command->add_option("--base-url", options->base_url, "API of the judge (default: the evaluator's)");
  command->add_option("--model", options->model, "Judging model (default: the evaluator's)");
  command->add_option("--api-key-name", options->api_key_name, "Environment variable or credential with the key")
      ->default_str("the evaluator's");
  add_limits(*command, options);
  command->add_flag("--estimate", options->estimate, "Print calls and highest cost; send nothing");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Run again, it pays for nothing twice: OUTPUT.journal holds every attempt, its cost and its reply.\n"
      "That is the only record of the money: `cutd ledger` does not show it, and no cap of a run or a day covers it.\n"
      "Exit code 4: some pairs were not judged; standard error says why and what to do.\n"
      "Example: cutd eval run --outputs mine.json --reference text_davinci_003.json --max-usd 15");
  command->callback([options, &chosen] { chosen = [options] { return run_eval_run(*options); }; });
}

}  // namespace cutd
