// Safetensors files: read (mapped, validated before anything is allocated), shards, write.
// Format: 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, the data.
//
//   ModelTensors tensors(model_dir);                       // model.safetensors or its shards
//   const TensorView& weight = tensors.at("model.norm.weight");
//   convert_to_float(weight.dtype, weight.bytes, values);
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/dtype.h"
#include "weights/mapped_file.h"

namespace cutd {

// One tensor, row-major. `bytes` belongs to whoever made the view and need not be aligned to the element size.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  std::int64_t elements() const;
};

using TensorMetadata = std::map<std::string, std::string>;

struct SafetensorsHeader {
  std::vector<TensorView> tensors;  // sorted by name; views into the bytes that were parsed
  TensorMetadata metadata;          // "__metadata__"
};

// Validates a whole file's bytes: length, UTF-8, JSON, types, no duplicate, no hole, overlap or tail, offsets
// that equal shape x element size. Error(kBadInput) names `origin` and the tensor. Memory: a small multiple of
// the header's own length, which must fit in the file and in 100 MB.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& origin);

// A mapped file; views stay valid while it lives (moves included). Const use from several threads is safe.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<TensorView>& tensors() const { return header_.tensors; }
  const TensorMetadata& metadata() const { return header_.metadata; }
  const TensorView* find(std::string_view name) const;  // nullptr when absent
  const TensorView& at(const std::string& name) const;  // Error(kBadInput) naming file and tensor
  const MappedFile& mapping() const { return mapping_; }

  // Error(kBadInput) naming file, tensor and index if a floating-point value is NaN or infinite. Reads everything.
  void check_finite() const;

 private:
  std::filesystem::path path_;
  MappedFile mapping_;
  SafetensorsHeader header_;
};

// The tensors of a Hugging Face model folder: model.safetensors, or the shards that
// model.safetensors.index.json names, each tensor taken from the shard its weight_map says.
class ModelTensors {
 public:
  explicit ModelTensors(const std::filesystem::path& model_dir);

  std::vector<std::string> names() const;  // sorted
  const TensorView* find(std::string_view name) const;
  const TensorView& at(const std::string& name) const;  // Error(kBadInput) naming folder and tensor
  const std::vector<SafetensorsFile>& files() const { return files_; }
  std::uint64_t total_bytes() const;  // of the tensors
  void check_finite() const;

  // Which of files() holds the tensor; for readers that pread or drop pages.
  const SafetensorsFile& file_of(const std::string& name) const;

 private:
  struct Place {
    std::size_t file;
    const TensorView* tensor;
  };
  void add_shards(const std::filesystem::path& index_path);
  const Place& place_of(const std::string& name) const;

  std::filesystem::path directory_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place, std::less<>> places_;
};

// Files of a model folder that hold tensors, in name order: {"model.safetensors"} or the shards.
// Error(kNotFound) when the folder has neither.
std::vector<std::string> safetensors_file_names(const std::filesystem::path& model_dir);

}  // namespace cutd
