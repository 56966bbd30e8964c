#include "weights/gguf_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/error.h"
#include "weights/gguf_model.h"
#include "weights/model_layout.h"
#include "weights/safetensors_writer.h"

namespace cutd {
namespace {

constexpr std::int64_t kPieceElements = 1 << 20;

// Not weights: what config.json says in other words.
bool is_derived(const std::string& name) { return name == "rope_freqs.weight"; }

[[noreturn]] void refuse(const GgufFile& file, const std::string& tensor, const std::string& why) {
  throw Error(ErrorCode::kBadInput, fmt::format("{}: tensor \"{}\" {}", file.path().string(), tensor, why));
}

// The model's tensors under their Hugging Face names, each checked to be in the file with its shape.
std::vector<TensorView> declare_tensors(const GgufFile& file, const ModelConfig& config) {
  std::vector<TensorView> declared;
  std::set<std::string> used;
  for (const TensorSpec& spec : model_tensor_specs(config)) {
    const GgufTensor& tensor = file.at(gguf_tensor_source(spec.name, config).gguf_name);
    if (tensor.shape != spec.shape) {
      refuse(file, tensor.name,
             fmt::format("has shape [{}] but the metadata needs [{}]", fmt::join(tensor.shape, ", "),
                         fmt::join(spec.shape, ", ")));
    }
    used.insert(tensor.name);
    declared.push_back({spec.name, config.dtype, spec.shape, {}});
  }
  for (const GgufTensor& tensor : file.tensors()) {
    if (!used.contains(tensor.name) && !is_derived(tensor.name))
      refuse(file, tensor.name, "is not part of the described model");
  }
  return declared;
}

// Converts one tensor piece by piece, row by row in the order of the Hugging Face layout.
class TensorConverter {
 public:
  TensorConverter(const GgufFile& file, const ModelConfig& config, SafetensorsWriter& writer)
      : file_(file), config_(config), writer_(writer) {}

  void convert(const TensorView& target) {
    const GgufTensorSource source = gguf_tensor_source(target.name, config_);
    const GgufTensor& tensor = file_.at(source.gguf_name);
    // A vector is one row, except a permuted bias, whose elements are the rows.
    std::int64_t rows = tensor.shape.size() > 1 ? tensor.shape.front() : 1;
    if (tensor.shape.size() == 1 && source.permuted_heads > 0) rows = tensor.shape.front();
    const std::int64_t columns = tensor.elements() / rows;
    const std::size_t row_bytes = tensor.bytes.size() / static_cast<std::size_t>(rows);
    const std::int64_t rows_per_piece = std::max<std::int64_t>(1, kPieceElements / columns);
    for (std::int64_t first = 0; first < rows; first += rows_per_piece) {
      const std::int64_t count = std::min(rows_per_piece, rows - first);
      values_.resize(static_cast<std::size_t>(count * columns));
      for (std::int64_t i = 0; i < count; ++i) {
        const auto from = static_cast<std::size_t>(gguf_source_row(source, first + i, rows)) * row_bytes;
        const std::span<float> row(values_.data() + i * columns, static_cast<std::size_t>(columns));
        dequantise(tensor.type, tensor.bytes.subspan(from, row_bytes), row);
      }
      write_piece(tensor);
    }
  }

 private:
  void write_piece(const GgufTensor& tensor) {
    if (find_non_finite(DType::kF32, std::as_bytes(std::span(values_))))
      refuse(file_, tensor.name, "has a value that is not finite");
    bytes_.resize(values_.size() * dtype_size(config_.dtype));
    convert_from_float(config_.dtype, values_, bytes_);
    writer_.append(bytes_);
  }

  const GgufFile& file_;
  const ModelConfig& config_;
  SafetensorsWriter& writer_;
  std::vector<float> values_;
  std::vector<std::byte> bytes_;
};

}  // namespace

void write_gguf_weights(const GgufFile& file, const ModelConfig& config, const std::filesystem::path& path,
                        const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  std::vector<TensorView> declared = declare_tensors(file, config);
  std::uint64_t total = 0;
  for (const GgufTensor& tensor : file.tensors()) total += tensor.bytes.size();
  SafetensorsWriter writer(path, std::move(declared));
  TensorConverter converter(file, config, writer);
  std::uint64_t done = 0;
  for (const TensorView& target : writer.order()) {
    converter.convert(target);
    done += file.at(gguf_tensor_source(target.name, config).gguf_name).bytes.size();
    if (progress) progress(done, total);
  }
  writer.finish();
}

}  // namespace cutd
