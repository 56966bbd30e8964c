#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/error.h"
#include "core/signals.h"
#include "cutd/api_client.h"
#include "cutd/command.h"
#include "cutd/daemon.h"
#include "cutd/data_dir.h"
#include "cutd/model_import.h"
#include "cutd/output.h"

namespace cutd {
namespace {

struct ModelOptions {
  std::string data_dir;
  std::string source;
  std::string output;
  std::string dtype = "bfloat16";
  bool json = false;
};

void import_model_files(const ModelOptions& options, const std::stop_token& stop) {
  std::filesystem::path output = options.output;
  if (output.empty()) {
    make_data_dir(options.data_dir);
    output = std::filesystem::path(options.data_dir) / "models" / model_name_of(options.source);
    std::filesystem::create_directories(output.parent_path());
  }
  const ImportResult result =
      import_model_with_progress(options.source, output, parse_import_dtype(options.dtype), stop);
  if (options.json) {
    print_json({{"path", std::filesystem::absolute(result.directory).string()},
                {"already_present", result.already_present},
                {"tensors", result.tensors},
                {"parameters", result.parameters},
                {"has_tokenizer", result.has_tokenizer},
                {"source_sha256", result.source_sha256}});
  } else {
    fmt::print("{} {} ({:.1f} million parameters)\n", result.directory.string(),
               result.already_present ? "was imported before" : "imported",
               static_cast<double>(result.parameters) / 1e6);
  }
}

int print_models(const ModelOptions& options) {
  const Json models = ApiClient(options.data_dir).get("/api/v1/models").at("models");
  if (options.json) print_json(models);
  else print_text(table_of(models, {{"model", "name"}, {"bytes", "bytes"}, {"path", "path"}}));
  return kExitDone;
}

}  // namespace

void add_model_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* group = app.add_subcommand("model", "Models to start from");
  group->require_subcommand(1);
  const auto options = std::make_shared<ModelOptions>();
  CLI::App* importer =
      group->add_subcommand("import", "Make a checked Hugging Face folder from a GGUF file or a folder");
  importer->add_option("source", options->source, "FILE.gguf or a Hugging Face folder")->required();
  importer->add_option("--output", options->output, "Folder to make (default: DATA/models/NAME)");
  importer->add_option("--dtype", options->dtype, "Of the weights made from GGUF: float32, float16 or bfloat16")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->capture_default_str();
  CLI::App* lister = group->add_subcommand("list", "Models of the folder");
  for (CLI::App* command : {importer, lister}) {
    add_data_dir_option(*command, options->data_dir);
    command->add_flag("--json", options->json, "Print JSON");
  }
  importer->footer("Example: cutd model import SmolLM2-135M-Instruct.Q4_1.gguf --output smollm2");
  importer->callback([options, &chosen] {
    chosen = [options] {
      return run_stoppable([&](const std::stop_token& stop) { import_model_files(*options, stop); });
    };
  });
  lister->callback([options, &chosen] { chosen = [options] { return print_models(*options); }; });
}

}  // namespace cutd
