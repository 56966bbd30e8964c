#include "cutd_engine/merged_model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/files.h"
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

std::vector<std::byte> folded_bytes(const TensorView& original, const at::Tensor& delta) {
  const at::Tensor sum = at::empty(delta.sizes(), at::kFloat);
  copy_into(sum, original);
  sum.add_(delta);
  std::vector<std::byte> bytes(original.bytes.size());
  convert_from_float(original.dtype, std::span(sum.const_data_ptr<float>(), static_cast<std::size_t>(sum.numel())),
                     bytes);
  return bytes;
}

void write_folded(const ModelTensors& tensors, const LoraAdapter& adapter, const fs::path& directory,
                  const std::stop_token& stop, const MergeProgress& progress) {
  std::int64_t done = 0;
  const auto total = static_cast<std::int64_t>(tensors.names().size());
  for (const SafetensorsFile& file : tensors.files()) {
    SafetensorsWriter writer(directory / file.path().filename(), file.tensors(), file.metadata());
    for (const TensorView& tensor : writer.order()) {
      if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped while merging");
      const LoraMatrices* module = find_module(adapter, tensor.name);
      if (module == nullptr) writer.append(file.at(tensor.name).bytes);
      else writer.append(folded_bytes(file.at(tensor.name), lora_delta(adapter, *module)));
      if (progress) progress(++done, total);
    }
    writer.finish();
  }
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
    write_folded(ModelTensors(job.model_dir), lora_from_adapter(values, at::kCPU), temporary, stop, progress);
    copy_other_files(job.model_dir, temporary);
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
