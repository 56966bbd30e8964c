#include <CLI/CLI.hpp>
#include <memory>

#include "core/domain.h"
#include "core/files.h"
#include "core/signals.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/instruction_upload.h"
#include "cutd/output.h"
#include "round/instruction_sets.h"

namespace cutd {
namespace {

struct InstructionOptions {
  std::string data_dir;
  std::string file;
  std::string split = "train";
  bool json = false;
};

// The whole file is checked before the first row is sent; sending again after a failure is harmless.
void import_file(const InstructionOptions& options, const std::stop_token& stop) {
  const Split split = from_name<Split>(options.split);
  const std::vector<Instruction> rows = parse_instructions(read_file(options.file), split, options.file);
  ApiClient api(options.data_dir);
  const Json counts = upload_instructions(api, rows, options.split, options.file, stop);
  if (options.json) print_json(counts);
  else print_text(upload_text(counts, rows.size()));
}

}  // namespace

void add_instruction_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("instructions", "What the model is asked");
  group->require_subcommand(1);
  const auto options = std::make_shared<InstructionOptions>();
  CLI::App* command = group->add_subcommand("import", "Store a file of instructions; again is harmless");
  add_data_dir_option(*command, options->data_dir);
  command->add_option("file", options->file, "JSON Lines of {\"instruction\", \"input\"?}")->required();
  command->add_option("--split", options->split, "train, gate (decides about promotion) or report (final figures)")
      ->check(CLI::IsMember({"train", "gate", "report"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: cutd instructions import my.jsonl --split train");
  command->callback([options, &chosen] {
    chosen = [options] {
      return run_stoppable([&](const std::stop_token& stop) { import_file(*options, stop); }, kUploadStopped);
    };
  });
}

}  // namespace cutd
