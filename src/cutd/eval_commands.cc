#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>

#include "core/error.h"
#include "cutd/command.h"
#include "cutd/output.h"
#include "evaluation/alpaca_eval.h"

namespace cutd {
namespace {

struct EvalOptions {
  std::string annotations;
  std::string parent;
  std::int64_t resamples = 10000;
  std::int64_t seed = 1234;
  bool by_dataset = false;
  bool json = false;
};

Json difference_json(const AnnotationDifference& difference) {
  return {{"value", difference.points.value},
          {"interval", {difference.points.interval.low, difference.points.interval.high}},
          {"pairs", difference.pairs}};
}

std::map<std::string, std::vector<PairAnnotation>> by_dataset(const std::vector<PairAnnotation>& annotations) {
  std::map<std::string, std::vector<PairAnnotation>> parts;
  for (const PairAnnotation& annotation : annotations) {
    parts[json_get_or<std::string>(annotation.other, "dataset", "", "annotations")].push_back(annotation);
  }
  return parts;
}

Json evaluate(const EvalOptions& options) {
  const std::vector<PairAnnotation> annotations = read_annotations(options.annotations);
  Json result = pairwise_score_json(score_annotations(annotations));
  if (options.by_dataset) {
    for (const auto& [name, part] : by_dataset(annotations)) {
      result["datasets"][name] = pairwise_score_json(score_annotations(part));
    }
  }
  if (!options.parent.empty()) {
    result["difference"] = difference_json(
        compare_annotations(read_annotations(options.parent), annotations, options.resamples, options.seed));
  }
  return result;
}

std::string two_digits(const Json& value) { return value.is_null() ? "-" : fmt::format("{:.2f}", value.get<double>()); }

std::vector<std::string> table_row(const std::string& name, const Json& score) {
  return {name,
          two_digits(score["win_rate"]),
          two_digits(score["standard_error"]),
          cell(score["n_wins"]),
          cell(score["n_wins_base"]),
          cell(score["n_draws"]),
          cell(score["n_total"]),
          cell(score["n_missing"]),
          two_digits(score["length_adjusted_win_rate"])};
}

int run_eval(const EvalOptions& options) {
  if (options.annotations.empty())
    throw Error(ErrorCode::kUsage, "cutd eval needs --annotations FILE (cutd eval --help shows the use)");
  const Json result = evaluate(options);
  if (options.json) {
    print_json(result);
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {table_row("all", result)};
  if (result.contains("datasets")) {
    for (const auto& [name, score] : result["datasets"].items()) rows.push_back(table_row(name, score));
  }
  print_text(table_text(
      {"dataset", "win rate", "std. error", "wins", "losses", "draws", "valid", "missing", "length-adjusted"}, rows));
  if (result.contains("difference")) {
    const Json& difference = result["difference"];
    print_text(fmt::format("difference to {}: {:+.2f} points (95 %: {:+.2f} to {:+.2f}) over {} instructions\n",
                           options.parent, difference["value"].get<double>(), difference["interval"][0].get<double>(),
                           difference["interval"][1].get<double>(), difference["pairs"].get<std::int64_t>()));
  }
  return kExitDone;
}

}  // namespace

void add_eval_commands(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* command = app.add_subcommand("eval", "Win rate of pairwise annotations, as AlpacaEval computes it");
  command->add_option("--annotations", options->annotations, "AlpacaEval annotations: a JSON list");
  command->add_option("--parent", options->parent, "Annotations of the model before: adds the paired difference");
  command->add_option("--resamples", options->resamples, "Draws of the paired bootstrap")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Its seed")->capture_default_str();
  command->add_flag("--by-dataset", options->by_dataset, "Each dataset's figures as well");
  command->add_flag("--json", options->json, "AlpacaEval's keys and values as one JSON object");
  command->footer(
      "A preference of null or outside of [1, 2] is missing, never a loss; 1.5 (or 0) is a draw. The length-adjusted "
      "figure\n"
      "is our own (src/evaluation/length_adjustment.h has its formula), not AlpacaEval's length_controlled_winrate.\n"
      "Example: cutd eval --annotations annotations.json --json");
  command->callback([options, command, &chosen] {
    if (command->get_subcommands().empty()) chosen = [options] { return run_eval(*options); };
  });
  add_eval_run_command(*command, chosen);
}

}  // namespace cutd
