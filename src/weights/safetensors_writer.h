// Writing safetensors: deterministic bytes (equal to those of Hugging Face's writer: larger element types
// first, then by name), durable, mode 0644.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "weights/safetensors.h"

namespace cutd {

// All tensors at once. Same tensors and metadata, same bytes, whatever their order. Names must differ and
// bytes must match dtype x shape, else Error(kInternal). Write failures: as write_file_durably.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata = {{"format", "pt"}});

// One tensor at a time, for files larger than memory. Until finish(), `path` is untouched; destroying an
// unfinished writer removes its temporary file.
class SafetensorsWriter {
 public:
  // `declared`: names, types and shapes; their `bytes` are not looked at.
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorView> declared,
                    const TensorMetadata& metadata = {{"format", "pt"}});

  // The order in which append() wants the tensors.
  const std::vector<TensorView>& order() const { return order_; }

  // The bytes of the next tensor, or the next part of it.
  void append(std::span<const std::byte> bytes);

  // All bytes are there (else Error(kInternal)); the file is synced and takes its name.
  void finish();

 private:
  std::vector<TensorView> order_;
  std::uint64_t remaining_ = 0;
  DurableFileWriter file_;
};

}  // namespace cutd
