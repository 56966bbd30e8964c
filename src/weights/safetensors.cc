#include "weights/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/json.h"

namespace cutd {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

// tensor name -> shard file name, checked: no path may leave the folder.
std::map<std::string, std::string> read_weight_map(const std::filesystem::path& index_path) {
  const std::string origin = index_path.string();
  const Json index = read_json_file(index_path);
  const Json map = json_get<Json>(index, "weight_map", origin);
  if (!map.is_object() || map.empty())
    throw_json_member(origin, "weight_map", "must be an object with at least one tensor");
  std::map<std::string, std::string> weight_map;
  for (const auto& [tensor, file] : map.items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name.find('/') != name.npos || name == "." || name == "..") {
      throw_json_member(origin, "weight_map", "has no plain file name for tensor \"" + tensor + "\"");
    }
    weight_map.emplace(tensor, name);
  }
  return weight_map;
}

}  // namespace

std::int64_t TensorView::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) count *= dimension;
  return count;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), mapping_(path), header_(parse_safetensors(mapping_.bytes(), path.string())) {}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto& tensors = header_.tensors;
  const auto before = [](const TensorView& tensor, std::string_view wanted) { return tensor.name < wanted; };
  const auto place = std::lower_bound(tensors.begin(), tensors.end(), name, before);
  return place != tensors.end() && place->name == name ? &*place : nullptr;
}

const TensorView& SafetensorsFile::at(const std::string& name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) throw Error(ErrorCode::kBadInput, path_.string() + ": tensor \"" + name + "\" is missing");
  return *tensor;
}

void SafetensorsFile::check_finite() const {
  for (const TensorView& tensor : tensors()) {
    if (const auto index = find_non_finite(tensor.dtype, tensor.bytes)) {
      throw Error(ErrorCode::kBadInput, fmt::format("{}: tensor \"{}\" has a value that is not finite at index {}",
                                                    path_.string(), tensor.name, *index));
    }
  }
}

ModelTensors::ModelTensors(const std::filesystem::path& model_dir) : directory_(model_dir) {
  if (std::filesystem::exists(model_dir / kSingleFile)) {
    files_.emplace_back(model_dir / kSingleFile);
    for (const TensorView& tensor : files_[0].tensors()) places_.emplace(tensor.name, Place{0, &tensor});
  } else if (std::filesystem::exists(model_dir / kIndexFile)) {
    add_shards(model_dir / kIndexFile);
  } else {
    throw Error(ErrorCode::kNotFound,
                fmt::format("{} holds neither {} nor {}", model_dir.string(), kSingleFile, kIndexFile));
  }
}

void ModelTensors::add_shards(const std::filesystem::path& index_path) {
  const std::map<std::string, std::string> weight_map = read_weight_map(index_path);
  std::map<std::string, std::size_t> shards;
  for (const auto& [tensor, name] : weight_map) {
    const auto [shard, is_new] = shards.emplace(name, files_.size());
    if (is_new) files_.emplace_back(directory_ / name);
    // Views stay where they are when files_ grows: a move hands over the vector that holds them.
    places_.emplace(tensor, Place{shard->second, &files_[shard->second].at(tensor)});
  }
  for (const auto& [name, shard] : shards) {
    for (const TensorView& tensor : files_[shard].tensors()) {
      const auto mapped = weight_map.find(tensor.name);
      if (mapped == weight_map.end() || mapped->second != name) {
        throw Error(
            ErrorCode::kBadInput,
            fmt::format("{}: tensor \"{}\" lies in shard {} but weight_map {}", index_path.string(), tensor.name, name,
                        mapped == weight_map.end() ? "does not list it" : "says " + mapped->second));
      }
    }
  }
}

std::vector<std::string> ModelTensors::names() const {
  std::vector<std::string> names;
  names.reserve(places_.size());
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

const TensorView* ModelTensors::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : place->second.tensor;
}

const ModelTensors::Place& ModelTensors::place_of(const std::string& name) const {
  const auto place = places_.find(name);
  if (place == places_.end()) {
    throw Error(ErrorCode::kBadInput, directory_.string() + ": tensor \"" + name + "\" is missing");
  }
  return place->second;
}

const TensorView& ModelTensors::at(const std::string& name) const { return *place_of(name).tensor; }
const SafetensorsFile& ModelTensors::file_of(const std::string& name) const { return files_[place_of(name).file]; }

std::uint64_t ModelTensors::total_bytes() const {
  std::uint64_t total = 0;
  for (const auto& [name, place] : places_) total += place.tensor->bytes.size();
  return total;
}

void ModelTensors::check_finite() const {
  for (const SafetensorsFile& file : files_) file.check_finite();
}

std::vector<std::string> safetensors_file_names(const std::filesystem::path& model_dir) {
  if (std::filesystem::exists(model_dir / kSingleFile)) return {kSingleFile};
  if (!std::filesystem::exists(model_dir / kIndexFile)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("{} holds neither {} nor {}", model_dir.string(), kSingleFile, kIndexFile));
  }
  std::set<std::string> names;
  for (const auto& [tensor, file] : read_weight_map(model_dir / kIndexFile)) names.insert(file);
  return {names.begin(), names.end()};
}

}  // namespace cutd
