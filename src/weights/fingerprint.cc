#include "weights/fingerprint.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "weights/safetensors.h"

namespace cutd {
namespace {

constexpr const char* kCacheFile = ".cutd-fingerprint.json";

// Name, size and modification time of every file: what the remembered hash is valid for.
Json describe_files(const std::filesystem::path& model_dir, const std::vector<std::string>& names) {
  Json files = Json::array();
  for (const std::string& name : names) {
    struct stat status {};
    if (::stat((model_dir / name).c_str(), &status) != 0) throw_errno("cannot read " + (model_dir / name).string());
    const std::int64_t nanoseconds = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    files.push_back({{"name", name}, {"size", status.st_size}, {"modified_ns", nanoseconds}});
  }
  return files;
}

// The cache is a convenience: whatever is wrong with it means that there is none.
std::optional<std::string> remembered(const std::filesystem::path& cache, const Json& files) {
  try {
    if (!std::filesystem::exists(cache)) return std::nullopt;
    const Json entry = read_json_file(cache);
    if (entry.is_object() && entry.contains("files") && entry.at("files") == files) {
      return json_get<std::string>(entry, "sha256", cache.string());
    }
  } catch (const Error&) {
  }
  return std::nullopt;
}

void remember(const std::filesystem::path& cache, const Json& files, const std::string& hash) {
  try {
    write_file_durably(cache, to_json_text({{"sha256", hash}, {"files", files}}, 1) + "\n");
  } catch (const Error&) {  // a read-only folder is hashed every time
  }
}

}  // namespace

std::vector<std::string> model_files(const std::filesystem::path& model_dir) {
  if (!std::filesystem::exists(model_dir / "config.json")) {
    throw Error(ErrorCode::kNotFound, (model_dir / "config.json").string() + " does not exist");
  }
  std::vector<std::string> names = safetensors_file_names(model_dir);
  for (const char* name : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "chat_template.jinja"}) {
    if (std::filesystem::exists(model_dir / name)) names.emplace_back(name);
  }
  if (names.front() != "model.safetensors") {
    if (std::filesystem::exists(model_dir / "model.safetensors.index.json"))
      names.emplace_back("model.safetensors.index.json");
  }
  const std::filesystem::path templates = model_dir / "additional_chat_templates";
  if (std::filesystem::is_directory(templates)) {
    for (const auto& entry : std::filesystem::directory_iterator(templates)) {
      if (entry.path().extension() == ".jinja") names.push_back(templates.filename() / entry.path().filename());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string model_fingerprint(const std::filesystem::path& model_dir) {
  const std::vector<std::string> names = model_files(model_dir);
  const Json files = describe_files(model_dir, names);
  const std::filesystem::path cache = model_dir / kCacheFile;
  if (const auto hash = remembered(cache, files)) return *hash;
  Sha256 hash;
  for (const std::string& name : names) hash.update(name + "\n" + sha256_file(model_dir / name) + "\n");
  const std::string fingerprint = hash.finish_hex();
  remember(cache, files, fingerprint);
  return fingerprint;
}

}  // namespace cutd
