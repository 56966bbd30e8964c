#include "weights/import.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "text/tokenizer.h"
#include "weights/fingerprint.h"
#include "weights/gguf_model.h"
#include "weights/gguf_weights.h"
#include "weights/model_layout.h"

namespace cutd {
namespace {

constexpr const char* kRecordFile = "cutd_import.json";
constexpr const char* kTemporaryMark = ".importing.";

// A folder that is removed again unless it was published.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What a killed import left behind: folders named after processes that are gone.
void sweep_leftovers(const std::filesystem::path& output) {
  const std::string prefix = output.filename().string() + kTemporaryMark;
  if (!std::filesystem::is_directory(output.parent_path())) return;
  for (const auto& entry : std::filesystem::directory_iterator(output.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const long owner = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
    if (owner > 0 && ::kill(static_cast<pid_t>(owner), 0) != 0 && errno == ESRCH)
      std::filesystem::remove_all(entry.path());
  }
}

// Name and size of the files of an imported folder, to tell a complete one later.
Json sizes_of(const std::filesystem::path& directory) {
  Json sizes = Json::object();
  for (const std::string& name : model_files(directory)) sizes[name] = std::filesystem::file_size(directory / name);
  return sizes;
}

void write_record(const std::filesystem::path& directory, const ImportOptions& options, const ImportResult& result,
                  const char* dtype) {
  const Json record = {{"format", "cutd-import/1"},
                       {"source", options.source.filename().string()},
                       {"source_sha256", result.source_sha256},
                       {"dtype", dtype},
                       {"tensors", result.tensors},
                       {"parameters", result.parameters},
                       {"files", sizes_of(directory)}};
  write_file_durably(directory / kRecordFile, to_json_text(record, 2) + "\n");
}

// Whether `output` is the finished import of this source. kConflict when it is anything else.
bool is_imported(const ImportOptions& options, const char* dtype, ImportResult& result) {
  const std::string shown = options.output.string();
  if (!std::filesystem::exists(options.output)) return false;
  if (!std::filesystem::exists(options.output / kRecordFile)) {
    throw Error(ErrorCode::kConflict, shown + " exists and is not an imported model: choose another --output");
  }
  const std::string origin = (options.output / kRecordFile).string();
  const Json record = read_json_file(options.output / kRecordFile);
  if (json_get<std::string>(record, "source_sha256", origin) != result.source_sha256 ||
      json_get<std::string>(record, "dtype", origin) != dtype) {
    throw Error(ErrorCode::kConflict, shown + " holds a model imported from another source or with another dtype (" +
                                          json_get<std::string>(record, "source", origin) +
                                          "): choose another --output");
  }
  if (json_get<Json>(record, "files", origin) != sizes_of(options.output)) {
    throw Error(ErrorCode::kConflict,
                shown + " was imported from this source but its files have changed: remove it first");
  }
  result.already_present = true;
  result.tensors = json_get<std::int64_t>(record, "tensors", origin);
  result.parameters = json_get<std::int64_t>(record, "parameters", origin);
  return true;
}

Json generation_config_json(const ModelConfig& config) {
  Json generation = {{"_from_model_config", true}};
  if (config.bos_token_id) generation["bos_token_id"] = *config.bos_token_id;
  const auto& eos = config.eos_token_ids;
  if (!eos.empty()) generation["eos_token_id"] = eos.size() == 1 ? Json(eos[0]) : Json(eos);
  if (config.pad_token_id) generation["pad_token_id"] = *config.pad_token_id;
  return generation;
}

void write_gguf_model(const GgufFile& file, const std::filesystem::path& directory, const ImportOptions& options,
                      const ImportProgress& progress, ImportResult& result) {
  ModelConfig config = gguf_model_config(file);
  config.dtype = options.dtype;
  const GgufTokenizer vocabulary = gguf_tokenizer(file);
  if (static_cast<std::int64_t>(vocabulary.tokens.size()) > config.vocab_size) {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: {} tokens but an embedding of {} rows", file.path().string(),
                                                  vocabulary.tokens.size(), config.vocab_size));
  }
  const TokenizerFiles tokenizer = build_tokenizer_files(vocabulary, file.path().string());
  write_file_durably(directory / "config.json", to_json_text(model_config_to_json(config), 2) + "\n");
  write_file_durably(directory / "generation_config.json", to_json_text(generation_config_json(config), 2) + "\n");
  write_file_durably(directory / "tokenizer.json", tokenizer.tokenizer_json);
  write_file_durably(directory / "tokenizer_config.json", tokenizer.tokenizer_config_json);
  write_file_durably(directory / "special_tokens_map.json", tokenizer.special_tokens_map_json);
  write_gguf_weights(file, config, directory / "model.safetensors", progress);
  for (const TensorSpec& spec : model_tensor_specs(config)) {
    std::int64_t elements = 1;
    for (const std::int64_t dimension : spec.shape) elements *= dimension;
    result.parameters += elements;
    ++result.tensors;
  }
}

void copy_model(const std::filesystem::path& source, const std::filesystem::path& directory,
                const ImportProgress& progress) {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  const std::vector<std::string> names = model_files(source);
  for (const std::string& name : names) total += std::filesystem::file_size(source / name);
  for (const std::string& name : names) {
    const std::filesystem::path target = directory / name;
    std::filesystem::create_directories(target.parent_path());
    std::error_code failure;
    std::filesystem::copy_file(source / name, target, failure);
    if (!failure) std::filesystem::permissions(target, std::filesystem::perms(0644), failure);
    if (failure) {
      errno = failure.value();
      throw_errno("cannot copy " + (source / name).string() + " to " + target.string());
    }
    done += std::filesystem::file_size(source / name);
    if (progress) progress(done, total);
  }
}

// Everything that would fail later is found before anything is written.
void check_folder(const std::filesystem::path& source, ImportResult& result) {
  const ModelConfig config = read_model_config(source);
  const ModelTensors tensors(source);
  check_model_tensors(config, tensors, source.string());
  tensors.check_finite();
  for (const TensorSpec& spec : model_tensor_specs(config)) {
    result.parameters += tensors.at(spec.name).elements();
    ++result.tensors;
  }
  result.has_tokenizer = std::filesystem::exists(source / "tokenizer.json");
  if (result.has_tokenizer) Tokenizer::from_directory(source);
}

ImportResult import_checked(const ImportOptions& options, const ImportProgress& progress) {
  if (!std::filesystem::exists(options.source))
    throw Error(ErrorCode::kNotFound, options.source.string() + " does not exist");
  const bool is_folder = std::filesystem::is_directory(options.source);

  ImportResult result;
  result.directory = options.output;
  result.source_sha256 = is_folder ? model_fingerprint(options.source) : sha256_file(options.source);
  if (is_imported(options, is_folder ? "as is" : dtype_torch_name(options.dtype), result)) return result;

  sweep_leftovers(options.output);
  const TemporaryDirectory temporary(options.output.string() + kTemporaryMark + std::to_string(::getpid()));
  if (is_folder) {
    check_folder(options.source, result);
    copy_model(options.source, temporary.path(), progress);
  } else {
    write_gguf_model(GgufFile(options.source), temporary.path(), options, progress, result);
  }
  write_record(temporary.path(), options, result, is_folder ? "as is" : dtype_torch_name(options.dtype));
  publish_directory(temporary.path(), options.output);
  return result;
}

}  // namespace

ImportResult import_model(const ImportOptions& requested, const ImportProgress& progress) {
  try {
    ImportOptions options = requested;
    options.source = std::filesystem::absolute(options.source).lexically_normal();
    options.output = std::filesystem::absolute(options.output).lexically_normal();
    if (!options.output.has_filename()) options.output = options.output.parent_path();
    return import_checked(options, progress);
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(ErrorCode::kIo, std::string("cannot import: ") + error.what());
  }
}

}  // namespace cutd
