#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/error.h"
#include "core/json.h"
#include "cutd/command.h"
#include "weights/import.h"

namespace cutd {
namespace {

struct Options {
  ImportOptions import;
  std::string dtype = "bfloat16";
  bool json = false;
};

DType parse_dtype(const std::string& text) {
  if (text == "float32") return DType::kF32;
  if (text == "float16") return DType::kF16;
  return DType::kBF16;
}

int run_import(const Options& options) {
  ImportOptions import = options.import;
  import.dtype = parse_dtype(options.dtype);
  const ImportResult result = import_model(import);
  if (options.json) {
    const Json json = {{"directory", result.directory.string()},
                       {"already_present", result.already_present},
                       {"has_tokenizer", result.has_tokenizer},
                       {"tensors", result.tensors},
                       {"parameters", result.parameters},
                       {"source_sha256", result.source_sha256}};
    std::printf("%s\n", to_json_text(json).c_str());
  } else if (result.already_present) {
    std::printf("%s already holds this model (%lld parameters)\n", result.directory.c_str(), static_cast<long long>(result.parameters));
  } else {
    std::printf("imported %lld tensors, %lld parameters into %s\n", static_cast<long long>(result.tensors),
                static_cast<long long>(result.parameters), result.directory.c_str());
  }
  if (!result.has_tokenizer) std::fprintf(stderr, "cutd: warning: the model has no tokenizer; only token ids can be used with it\n");
  return kExitDone;
}

}  // namespace

void add_model_commands(CLI::App& app, CommandAction& chosen) {
  CLI::App* model = app.add_subcommand("model", "Models as checked Hugging Face folders");
  model->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  CLI::App* import = model->add_subcommand("import", "Make a Hugging Face folder from a GGUF file or another folder");
  import->add_option("SOURCE", options->import.source, "FILE.gguf or a Hugging Face folder")->required();
  import->add_option("--output", options->import.output, "Folder to make")->required();
  import->add_option("--dtype", options->dtype, "Of the weights, from GGUF")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->capture_default_str();
  import->add_flag("--json", options->json, "One JSON object");
  import->callback([options, &chosen] { chosen = [options] { return run_import(*options); }; });
}

}  // namespace cutd
