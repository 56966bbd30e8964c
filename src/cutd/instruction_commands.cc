#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "core/domain.h"
#include "core/error.h"
#include "core/files.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"
#include "round/instruction_sets.h"

namespace cutd {
namespace {

// Under the daemon's limit of 256 KiB a request, escapes included.
constexpr std::size_t kBytesPerRequest = 100'000;

struct Options {
  std::string data_dir;
  std::string file;
  std::string split = "train";
  bool json = false;
};

// The whole file is checked before the first row is sent; sending again after a failure is harmless.
int import_file(const Options& options) {
  const Split split = from_name<Split>(options.split);
  const std::vector<Instruction> rows = parse_instructions(read_file(options.file), split, options.file);
  ApiClient api(options.data_dir);
  Json total = Json::object();
  Json batch = Json::array();
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (batch.empty()) return;
    const Json counts =
        api.post("/api/v1/instructions", {{"split", options.split}, {"source", options.file}, {"instructions", batch}});
    for (const auto& [key, value] : counts.items())
      total[key] = total.value(key, std::int64_t{0}) + value.get<std::int64_t>();
    batch = Json::array();
    bytes = 0;
  };
  for (const Instruction& row : rows) {
    Json item = {{"instruction", row.text}, {"input", row.input}};
    const std::size_t size = to_json_text(item).size();
    if (bytes + size > kBytesPerRequest) flush();
    bytes += size;
    batch.push_back(std::move(item));
  }
  flush();
  if (options.json) {
    print_json(total);
    return kExitDone;
  }
  fmt::print("{} read, {} new, {} known\n", rows.size(), total.value("added", 0), total.value("known", 0));
  if (total.value("held_out", 0) > 0)
    fmt::print("{} were training instructions and are held out now\n", total.value("held_out", 0));
  if (total.value("kept_held_out", 0) > 0) fmt::print("{} stay held out\n", total.value("kept_held_out", 0));
  if (total.value("already_trained", 0) > 0)
    fmt::print("{} were trained on already and cannot be held out\n", total.value("already_trained", 0));
  return kExitDone;
}

}  // namespace

void add_instruction_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("instructions", "What the model is asked");
  group->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  CLI::App* command = group->add_subcommand("import", "Store a file of instructions; again is harmless");
  add_data_dir_option(*command, options->data_dir);
  command->add_option("file", options->file, "JSON Lines of {\"instruction\", \"input\"?}")->required();
  command->add_option("--split", options->split, "train, gate (decides about promotion) or report (final figures)")
      ->check(CLI::IsMember({"train", "gate", "report"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: cutd instructions import my.jsonl --split train");
  command->callback([options, &chosen] { chosen = [options] { return import_file(*options); }; });
}

}  // namespace cutd
