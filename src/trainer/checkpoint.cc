#include "trainer/checkpoint.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "core/fault.h"
#include "core/files.h"
#include "core/hash.h"
#include "weights/safetensors.h"
#include "weights/safetensors_writer.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpointFormat = "cutd-checkpoint/1";
constexpr const char* kPrefix = "checkpoint-";
constexpr const char* kTemporaryPrefix = ".checkpoint-";
constexpr std::size_t kKept = 2;

// Steps of the published checkpoints, newest first.
std::vector<std::int64_t> published_steps(const fs::path& directory) {
  std::vector<std::int64_t> steps;
  if (!fs::is_directory(directory)) return steps;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    char* end = nullptr;
    const std::int64_t step = std::strtoll(name.c_str() + std::string(kPrefix).size(), &end, 10);
    if (*end == '\0' && step > 0) steps.push_back(step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

fs::path folder_of(const fs::path& directory, std::int64_t step) {
  return directory / (kPrefix + std::to_string(step));
}

TensorView view_of(std::string name, const at::Tensor& values) {
  return {std::move(name),
          DType::kF32,
          {values.numel()},
          std::as_bytes(std::span(values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())))};
}

at::Tensor read_flat(const SafetensorsFile& file, const std::string& name) {
  const TensorView& tensor = file.at(name);
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  convert_to_float(tensor.dtype, tensor.bytes, values);
  return at::tensor(values, at::kFloat);
}

Json totals_json(const TrainingTotals& totals) {
  return {{"loss", totals.loss},
          {"detected_fraction", totals.detected_fraction},
          {"tokens", totals.tokens},
          {"last_loss", totals.last_loss}};
}

TrainingTotals read_totals(const Json& json, const std::string& origin) {
  return {json_get<double>(json, "loss", origin), json_get<double>(json, "detected_fraction", origin),
          json_get<std::int64_t>(json, "tokens", origin), json_get<double>(json, "last_loss", origin)};
}

Checkpoint read_checkpoint(const fs::path& folder, const ModelConfig& model) {
  const fs::path state_file = folder / "state.json";
  const std::string origin = state_file.string();
  const Json json = read_json_file(state_file);
  if (json_get<std::string>(json, "format", origin) != kCheckpointFormat)
    throw_json_member(origin, "format", std::string("is not ") + kCheckpointFormat);
  if (json_get<std::string>(json, "adapter_sha256", origin) != hash_directory(folder / "adapter") ||
      json_get<std::string>(json, "optimiser_sha256", origin) != sha256_file(folder / "optimiser.safetensors")) {
    throw Error(ErrorCode::kBadInput, folder.string() + ": a file is not what was written");
  }
  Checkpoint checkpoint;
  checkpoint.state.step = json_get<std::int64_t>(json, "step", origin);
  checkpoint.state.pack_tokens = json_get<std::int64_t>(json, "pack_tokens", origin);
  checkpoint.state.totals = read_totals(json_get<Json>(json, "totals", origin), origin);
  checkpoint.state.work = json_get<Json>(json, "work", origin);
  checkpoint.state.machine = json_get<Json>(json, "machine", origin);
  checkpoint.adapter = read_adapter(folder / "adapter", model);
  const SafetensorsFile optimiser(folder / "optimiser.safetensors");
  checkpoint.mean = read_flat(optimiser, "mean");
  checkpoint.square_mean = read_flat(optimiser, "square_mean");
  return checkpoint;
}

void sweep_unfinished(const fs::path& directory, std::vector<std::string>& messages) {
  if (!fs::is_directory(directory)) return;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (!entry.path().filename().string().starts_with(kTemporaryPrefix)) continue;
    messages.push_back("removed the unfinished checkpoint " + entry.path().string());
    fs::remove_all(entry.path());
  }
}

// Leaves of an object by dotted name.
void flatten(const Json& value, const std::string& name, std::vector<std::pair<std::string, Json>>& leaves) {
  if (!value.is_object()) {
    leaves.emplace_back(name, value);
    return;
  }
  for (const auto& [key, member] : value.items()) flatten(member, name.empty() ? key : name + "." + key, leaves);
}

const Json* find_leaf(const std::vector<std::pair<std::string, Json>>& leaves, const std::string& name) {
  const auto found = std::find_if(leaves.begin(), leaves.end(), [&](const auto& leaf) { return leaf.first == name; });
  return found == leaves.end() ? nullptr : &found->second;
}

}  // namespace

fs::path write_checkpoint(const fs::path& directory, const Checkpoint& checkpoint) {
  fs::create_directories(directory);
  const std::int64_t step = checkpoint.state.step;
  const fs::path temporary = directory / (kTemporaryPrefix + std::to_string(step));
  const fs::path final = folder_of(directory, step);
  fs::remove_all(temporary);
  fs::create_directories(temporary);
  write_adapter(temporary / "adapter", checkpoint.adapter);
  const std::vector<TensorView> tensors = {view_of("mean", checkpoint.mean),
                                           view_of("square_mean", checkpoint.square_mean)};
  write_safetensors(temporary / "optimiser.safetensors", tensors);
  const Json state = {{"format", kCheckpointFormat},
                      {"step", step},
                      {"pack_tokens", checkpoint.state.pack_tokens},
                      {"totals", totals_json(checkpoint.state.totals)},
                      {"work", checkpoint.state.work},
                      {"machine", checkpoint.state.machine},
                      {"adapter_sha256", hash_directory(temporary / "adapter")},
                      {"optimiser_sha256", sha256_file(temporary / "optimiser.safetensors")}};
  write_file_durably(temporary / "state.json", to_json_text(state, 1) + "\n");
  fault::point("train.checkpoint");
  fs::remove_all(final);
  publish_directory(temporary, final);
  const std::vector<std::int64_t> steps = published_steps(directory);
  for (std::size_t i = kKept; i < steps.size(); ++i) fs::remove_all(folder_of(directory, steps[i]));
  return final;
}

FoundCheckpoint find_checkpoint(const fs::path& directory, const ModelConfig& model) {
  FoundCheckpoint found;
  sweep_unfinished(directory, found.messages);
  for (const std::int64_t step : published_steps(directory)) {
    const fs::path folder = folder_of(directory, step);
    try {
      found.checkpoint = read_checkpoint(folder, model);
      return found;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadInput && error.code() != ErrorCode::kNotFound) throw;
      found.messages.push_back("removed the damaged checkpoint " + folder.string() + " (" + error.what() + ")");
      fs::remove_all(folder);
    }
  }
  return found;
}

bool has_checkpoints(const fs::path& directory) { return !published_steps(directory).empty(); }

std::string describe_differences(const Json& then, const Json& now) {
  std::vector<std::pair<std::string, Json>> before, after;
  flatten(then, "", before);
  flatten(now, "", after);
  std::string text;
  const auto say = [&](const std::string& name, const Json* old_value, const Json* new_value) {
    const auto shown = [](const Json* value) {
      return value == nullptr ? std::string("absent") : to_json_text(*value);
    };
    text += (text.empty() ? "" : ", ") + name + " (" + shown(old_value) + ", now " + shown(new_value) + ")";
  };
  for (const auto& [name, value] : before) {
    const Json* other = find_leaf(after, name);
    if (other == nullptr || *other != value) say(name, &value, other);
  }
  for (const auto& [name, value] : after) {
    if (find_leaf(before, name) == nullptr) say(name, nullptr, &value);
  }
  return text;
}

}  // namespace cutd
