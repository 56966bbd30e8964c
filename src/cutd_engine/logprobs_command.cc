#include <CLI/CLI.hpp>

#include "core/error.h"
#include "core/signals.h"
#include "cutd_engine/command.h"
#include "cutd_engine/inference.h"

namespace cutd {
namespace {

void run_logprobs(const InferenceOptions& options, const std::stop_token& stop) {
  const LoadedModel model(options);
  const std::vector<InputRow> rows = read_input_rows(options.input, model, false);
  std::vector<ScoreSequence> sequences;
  for (const InputRow& row : rows) sequences.push_back({row.ids, 1});
  GeneratorOptions generator_options;
  generator_options.threads = options.threads;
  Generator generator(model.policy->weights(), nullptr, generator_options);
  const std::vector<Score> scores = generator.score(sequences, stop, show_progress("logprobs"));
  std::vector<Json> out;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tokens += rows[i].ids.size();
    Json logprobs = Json::array({nullptr});
    Json top = Json::array({nullptr});
    for (const double value : scores[i].logprobs) logprobs.push_back(value);
    for (const std::int64_t id : scores[i].top) top.push_back(id);
    out.push_back({{"id", rows[i].id}, {"logprobs", std::move(logprobs)}, {"top1", std::move(top)}});
  }
  write_output_rows(options, out, tokens);
}

}  // namespace

void add_logprobs_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<InferenceOptions>();
  CLI::App* command =
      app.add_subcommand("logprobs", "Log-probability of every id of every row, given the ids before it");
  add_inference_options(*command, *options);
  command->callback([options, &chosen] {
    chosen = [options] { return run_stoppable([&](const std::stop_token& stop) { run_logprobs(*options, stop); }); };
  });
}

}  // namespace cutd
