#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/signals.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/data_dir.h"
#include "cutd/output.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

struct AdapterOptions {
  std::string data_dir;
  std::int64_t run = 0;
  std::int64_t adapter = 0;
  std::string output;
  bool json = false;
};

int print_adapters(const AdapterOptions& options) {
  const std::string filter = options.run > 0 ? "?run=" + std::to_string(options.run) : "";
  const Json adapters = ApiClient(options.data_dir).get("/api/v1/adapters" + filter).at("adapters");
  if (options.json) print_json(adapters);
  else
    print_text(table_of(
        adapters, {{"adapter", "id"}, {"round", "round"}, {"kind", "kind"}, {"state", "state"}, {"path", "path"}}));
  return kExitDone;
}

// A verified copy: what leaves is byte for byte what the round published.
void copy_verified(const fs::path& source, const fs::path& output, const std::string& hash,
                   const std::stop_token& stop) {
  if (fs::exists(output)) throw Error(ErrorCode::kConflict, output.string() + " exists already; name a new folder");
  fs::create_directories(fs::absolute(output).parent_path());
  fs::path temporary = output;
  temporary += ".tmp";
  fs::remove_all(temporary);
  fs::copy(source, temporary, fs::copy_options::recursive);
  const std::string found = hash_directory(temporary);
  if (found != hash) {
    fs::remove_all(temporary);
    throw Error(ErrorCode::kBadInput, source.string() + " is damaged: its hash is " + found + ", not " + hash);
  }
  if (stop.stop_requested()) {
    fs::remove_all(temporary);
    throw_if_stopped(stop, "copying");
  }
  publish_directory(temporary, output);
}

void export_adapter(const AdapterOptions& options, const std::stop_token& stop) {
  const Json adapter = ApiClient(options.data_dir).get("/api/v1/adapters/" + std::to_string(options.adapter));
  copy_verified(adapter.at("path").get<std::string>(), options.output, adapter.at("folder_hash").get<std::string>(),
                stop);
  if (options.json)
    print_json(
        {{"id", options.adapter}, {"path", fs::absolute(options.output).string()}, {"hash", adapter.at("hash")}});
  else fmt::print("adapter {} is at {}\n", options.adapter, options.output);
}

int run_adapter_export(const AdapterOptions& options) {
  return run_stoppable([&](const std::stop_token& stop) { export_adapter(options, stop); });
}

}  // namespace

void add_adapter_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("adapter", "What the rounds trained, in PEFT layout");
  group->require_subcommand(1);
  const auto options = std::make_shared<AdapterOptions>();
  const auto add = [&](const char* name, const char* help, int (*action)(const AdapterOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    add_data_dir_option(*command, options->data_dir);
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([options, action, &chosen] { chosen = [options, action] { return action(*options); }; });
    return command;
  };
  CLI::App* lister = add("list", "Adapters of the folder", print_adapters);
  lister->add_option("--run", options->run, "Only of this run")->check(CLI::PositiveNumber);
  CLI::App* exporter = add("export", "Copy an adapter out, verified", run_adapter_export);
  exporter->add_option("adapter", options->adapter, "Id of the adapter; a cumulative one loads on the original base")
      ->required();
  exporter->add_option("--output", options->output, "Folder to make")->required();
  exporter->footer("Example: cutd adapter export 4 --output my-adapter");
}

}  // namespace cutd
