#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "core/error.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/doctor.h"
#include "cutd/output.h"

namespace cutd {
namespace {

struct DoctorCommandOptions {
  std::string data_dir;
  std::string engine;
  std::string model;
  bool full = false;
  bool json = false;
};

int run_doctor(const DoctorCommandOptions& options) {
  const auto data_dir = std::filesystem::absolute(options.data_dir).lexically_normal();
  const std::vector<Finding> findings = examine({data_dir, options.engine, options.model, options.full});
  if (options.json) print_json(findings_json(findings));
  else print_text(findings_text(findings));
  const bool sound = std::none_of(findings.begin(), findings.end(),
                                  [](const Finding& finding) { return finding.health == Health::kProblem; });
  return sound ? kExitDone : kExitUnexpected;
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandAction& chosen) {
  const auto options = std::make_shared<DoctorCommandOptions>();
  CLI::App* command =
      app.add_subcommand("doctor", "Check folder, disk, store, engine, models and machine; say what to do");
  add_data_dir_option(*command, options->data_dir);
  command->add_option("--engine", options->engine, "The model program (default: cutd-engine beside this program)");
  command->add_option("--model", options->model, "Check this model alone: a folder, or a name under DATA/models");
  command->add_flag("--full", options->full, "Read every row, manifest and adapter of the store");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Exit code 1 when something is a problem. Changes nothing.\nExample: cutd doctor --data-dir /var/lib/cutd");
  command->callback([options, &chosen] { chosen = [options] { return run_doctor(*options); }; });
}

}  // namespace cutd
