#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/signals.h"
#include "cutd/command.h"
#include "cutd/config_flags.h"
#include "cutd/daemon.h"
#include "cutd/daemon_log.h"
#include "cutd/data_dir.h"
#include "cutd/demo_config.h"
#include "cutd/demo_start.h"
#include "cutd/listen_flags.h"
#include "cutd/model_import.h"
#include "cutd/output.h"
#include "cutd/progress_view.h"
#include "cutd/run_estimate.h"
#include "cutd/run_table.h"
#include "round/report.h"
#include "round/run_summary.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

struct DemoOptions {
  std::string data_dir;
  std::string config;
  std::string engine;
  bool quick = false;
  bool json = false;
  ListenFlags listen;
  std::vector<ConfigOverride> overrides;
};

constexpr const char* kStopped = "stopped; nothing is lost. The same command goes on from here.";

void say(const std::string& text) { fmt::print(stderr, "{}\n", text); }

// --model FILE.gguf stands for the model imported from it.
void import_named_file(const fs::path& data_dir, RunConfig& config, const std::stop_token& stop) {
  if (!config.model.ends_with(".gguf")) return;
  const fs::path output = data_dir / "models" / model_name_of(config.model);
  fs::create_directories(output.parent_path());
  const ImportResult result = import_model_with_progress(config.model, output, DType::kBF16, stop);
  say(fmt::format("model {} {}", output.string(),
                  result.already_present ? "was imported before and is reused" : "imported"));
  config.model = output.filename().string();
}

std::string plan_text(const DemoConfig& demo, const fs::path& data_dir) {
  return fmt::format("{}: model {}, {} rounds of {} instructions; data in {}", demo.name, demo.config.model,
                     demo.config.limits.rounds, demo.config.data.instructions_per_round, data_dir.string());
}

void watch(Daemon& daemon, RunId run, std::stop_token stop, const Clock& clock) {
  ProgressView view = stderr_progress_view(clock);
  std::uint64_t message = 0;
  const ProgressBoard& board = daemon.runs().progress();
  const auto show = [&] {
    for (const ProgressMessage& news : board.messages_after(message)) {
      message = news.number;
      view.say(news.text);
    }
    view.show(board.snapshot());  // read after the messages, so that it is never older than they are
  };
  daemon.runs().wait(run, stop, [&](const ProgressSnapshot&) { show(); });
  show();
  view.finish();
}

void print_outcome(const Json& summary, const fs::path& report) {
  std::string text = "\n" + rounds_table(summary);
  if (const std::string line = report_line(summary); !line.empty()) text += "\n" + line;
  text += fmt::format("\nreport    {}\n", report.string());
  text += "adapters  (PEFT layout; each loads on the original model)\n" + adapter_lines(summary);
  print_text(text);
}

int finish(Daemon& daemon, const DemoStart& start, const DemoOptions& options, bool stopped) {
  const fs::path data_dir = daemon.store().data_dir();
  const RunSummary summary =
      daemon.store().read([&](Reader& reader) { return summarize_run(reader, start.run, data_dir); });
  const fs::path report = data_dir / "report.html";
  daemon.store().read([&](Reader& reader) { write_report(reader, start.run, data_dir, report); });
  Json json = run_summary_json(summary);
  json["report"] = report.string();
  if (options.json) print_json(json);
  else if (summary.state == RunState::kCompleted) print_outcome(json, report);
  switch (summary.state) {
    case RunState::kCompleted:
      say(fmt::format("{} {}: {}", start.finished ? "it took" : "done in", format_duration(summary.seconds),
                      summary.reason));
      return kExitDone;
    case RunState::kFailed:
    case RunState::kCancelled:
      say(fmt::format("run {} {}: {}. The same command tries again; {} has the details.", summary.id.value,
                      name_of(summary.state), summary.reason, (data_dir / "cutd.log").string()));
      return kExitRunFailed;
    default:
      say(stopped ? kStopped
                  : fmt::format("run {} is {}: {}. The same command goes on with it.", summary.id.value,
                                name_of(summary.state), summary.reason));
      return kExitDone;
  }
}

int run_demo(const DemoOptions& options) {
  const SignalWatch signals;
  DemoConfig demo = read_demo_config(options.config, options.quick, options.overrides);
  const SystemClock clock;
  make_data_dir(options.data_dir);
  const fs::path data_dir = fs::absolute(options.data_dir).lexically_normal();
  DaemonLog logger(data_dir / "cutd.log", LogLevel::kInfo, false);
  Daemon daemon({data_dir, options.engine, {}, options.listen.options()}, clock, logger);
  try {
    import_named_file(data_dir, demo.config, signals.token());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    say(kStopped);
    return kExitDone;
  }
  say(plan_text(demo, data_dir));
  if (asks_anyone_over_http(demo.config)) say(run_estimate_text(estimate_run(demo.config, demo.files, data_dir)));
  const DemoStart start = start_or_continue(daemon.store(), daemon.runs(), demo.config, demo.files);
  for (const std::string& note : start.notes) say(note);
  if (!start.finished) {
    daemon.begin();
    if (!daemon.address().empty()) say("web pages: " + daemon.address());
    watch(daemon, start.run, signals.token(), clock);
    daemon.runs().stop();
    if (const auto failure = daemon.runs().failure()) {
      throw Error(ErrorCode::kIo,
                  *failure + "; nothing stored was lost: the same command goes on when the cause is gone");
    }
  }
  return finish(daemon, start, options, signals.token().stop_requested());
}

}  // namespace

void add_demo_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<DemoOptions>();
  CLI::App* command = app.add_subcommand("demo", "Run the whole loop on a small model and show what came of it");
  add_data_dir_option(*command, options->data_dir, "./cutd-demo");
  command->add_option("--config", options->config, "YAML file (default: the shipped examples/demo.yaml)");
  command->add_flag("--quick", options->quick, "The shipped examples/demo-quick.yaml: two small rounds");
  command->add_option("--engine", options->engine, "The model program (default: cutd-engine beside this program)");
  add_listen_flags(*command, options->listen);
  command->add_flag("--json", options->json, "The outcome as JSON, the last line of standard output");
  add_config_flags(*command, options->overrides);
  command->footer(
      "--model is a Hugging Face folder, a name under DATA/models, or a .gguf file, which is imported first.\n"
      "Interrupted in any way, the same command goes on from where it was. A finished run of the same configuration "
      "is\n"
      "shown again; a changed configuration starts a new one. Exit code 4: the run failed.\n"
      "Examples:\n"
      "  cutd demo --quick --model SmolLM2-135M-Instruct.Q4_1.gguf\n"
      "  cutd demo --config my.yaml --data-dir my-data --json");
  command->callback([options, &chosen] { chosen = [options] { return run_demo(*options); }; });
}

}  // namespace cutd
