#include "cutd_engine/merged_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/random.h"
#include "model/decoder.h"
#include "model/device.h"
#include "model/policy.h"
#include "weights/fingerprint.h"
#include "weights/safetensors_writer.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kProbeTokens = 64;
constexpr std::uint64_t kProbeSeed = 20231226;

// Logits at every position of the probe, one row after the other.
std::vector<float> probe_logits(const DecoderWeights& weights) {
  const std::int64_t count = std::min(kProbeTokens, weights.config.max_position_embeddings);
  const std::int64_t vocabulary = weights.config.vocab_size;
  DecoderLimits limits;
  limits.arena_tokens = limits.max_rows = limits.max_positions = count;
  const std::unique_ptr<Decoder> decoder = make_decoder(weights, limits);
  std::vector<float> logits(static_cast<std::size_t>(count * vocabulary));
  std::vector<DecoderRow> rows;
  std::vector<HeadQuery> queries;
  for (std::int64_t i = 0; i < count; ++i) {
    const float draw = philox_uniform(kProbeSeed, static_cast<std::uint64_t>(i));
    rows.push_back({static_cast<std::int64_t>(draw * static_cast<float>(vocabulary)), 0, i});
    queries.push_back({i, -1, logits.data() + i * vocabulary});
  }
  std::vector<HeadResult> results(queries.size());
  decoder->run(rows, queries, results);
  return logits;
}

double largest_difference(const std::vector<float>& left, const std::vector<float>& right) {
  double largest = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i])));
  }
  return largest;
}

// The adapted module that a tensor is the weight of, or null.
const LoraMatrices* find_module(const LoraAdapter& adapter, const std::string& tensor) {
  constexpr std::string_view kSuffix = ".weight";
  if (!tensor.ends_with(kSuffix)) return nullptr;
  const auto found = adapter.modules.find(tensor.substr(0, tensor.size() - kSuffix.size()));
  return found == adapter.modules.end() ? nullptr : &found->second;
}

// `original` plus `delta`, where there is one, in another type.
std::vector<std::byte> folded_bytes(const TensorView& original, const std::optional<at::Tensor>& delta, DType dtype) {
  const at::Tensor sum = at::empty(original.shape, at::kFloat);
  copy_into(sum, original);
  if (delta) sum.add_(*delta);
  const std::span values(sum.const_data_ptr<float>(), static_cast<std::size_t>(sum.numel()));
  std::vector<std::byte> bytes(values.size() * dtype_size(dtype));
  convert_from_float(dtype, values, bytes);
  return bytes;
}

std::optional<DType> written_type(const std::string& name) {
  if (name.empty()) return std::nullopt;
  return parse_dtype(name) == at::kFloat ? DType::kF32 : DType::kBF16;
}

bool is_float(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

std::vector<TensorView> with_type(std::vector<TensorView> tensors, std::optional<DType> dtype) {
  for (TensorView& tensor : tensors) {
    if (dtype && is_float(tensor.dtype)) tensor.dtype = *dtype;
  }
  return tensors;
}

void write_folded(const ModelTensors& tensors, const LoraAdapter& adapter, std::optional<DType> dtype,
                  const fs::path& directory, const std::stop_token& stop, const MergeProgress& progress) {
  std::int64_t done = 0;
  const auto total = static_cast<std::int64_t>(tensors.names().size());
  for (const SafetensorsFile& file : tensors.files()) {
    SafetensorsWriter writer(directory / file.path().filename(), with_type(file.tensors(), dtype), file.metadata());
    for (const TensorView& tensor : writer.order()) {
      if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped while merging");
      const TensorView original = file.at(tensor.name);
      const LoraMatrices* module = find_module(adapter, tensor.name);
      std::optional<at::Tensor> delta;
      if (module != nullptr) delta = lora_delta(adapter, *module);
      if (!delta && tensor.dtype == original.dtype) writer.append(original.bytes);
      else writer.append(folded_bytes(original, delta, tensor.dtype));
      if (progress) progress(++done, total);
    }
    writer.finish();
  }
}

// What else in the folder tells the type: config.json (dtype in transformers 5, torch_dtype before) and the shards'
// index.
void describe_type(const fs::path& directory, const std::string& dtype) {
  const fs::path config_path = directory / "config.json";
  Json config = read_json_file(config_path);
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = dtype;
  write_file_durably(config_path, config.dump(2) + "\n");
  const fs::path index_path = directory / "model.safetensors.index.json";
  if (!fs::exists(index_path)) return;
  Json index = read_json_file(index_path);
  std::uint64_t total = 0;
  const ModelTensors written(directory);
  for (const SafetensorsFile& file : written.files()) {
    for (const TensorView& tensor : file.tensors()) total += tensor.bytes.size();
  }
  index["metadata"]["total_size"] = total;
  write_file_durably(index_path, index.dump(2) + "\n");
}

void copy_other_files(const fs::path& model_dir, const fs::path& directory) {
  for (const std::string& name : model_files(model_dir)) {
    const fs::path target = directory / name;
    if (target.extension() == ".safetensors") continue;
    fs::create_directories(target.parent_path());
    write_file_durably(target, read_file(model_dir / name));
  }
}

fs::path without_slash(const fs::path& path) {
  const fs::path normal = fs::absolute(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

double merge_model(const MergeJob& job, const std::stop_token& stop, const MergeProgress& progress) {
  const at::NoGradGuard no_grad;
  const fs::path output = without_slash(job.output_dir);
  if (fs::exists(output))
    throw Error(ErrorCode::kConflict, output.string() + " exists: choose another output or remove it");
  const at::Device device = parse_device(job.device);
  const std::optional<DType> dtype = written_type(job.dtype);
  const ModelConfig config = read_model_config(job.model_dir);
  const PeftAdapter values = read_adapter(job.adapter_dir, config);
  check_adapter_base(values, model_fingerprint(job.model_dir), job.adapter_dir.string());

  std::vector<float> expected;
  {
    Policy policy(job.model_dir, at::kFloat, device);
    policy.set_adapter(job.adapter_dir);
    expected = probe_logits(policy.weights());
  }
  const fs::path temporary = output.string() + ".writing";
  fs::remove_all(temporary);
  fs::create_directories(temporary);
  try {
    write_folded(ModelTensors(job.model_dir), lora_from_adapter(values, at::kCPU), dtype, temporary, stop, progress);
    copy_other_files(job.model_dir, temporary);
    if (dtype) describe_type(temporary, job.dtype);
    const double difference =
        largest_difference(expected, probe_logits(Policy(temporary, at::kFloat, device).weights()));
    publish_directory(temporary, output);
    return difference;
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

}  // namespace cutd
