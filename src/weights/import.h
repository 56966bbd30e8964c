// `cutd model import`: a GGUF file or a Hugging Face folder becomes a checked Hugging Face folder of our own:
// config.json, generation_config.json, tokenizer files, model.safetensors, cutd_import.json (where it came from).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "weights/dtype.h"

namespace cutd {

struct ImportOptions {
  std::filesystem::path source;  // FILE.gguf or a model folder
  std::filesystem::path output;  // must not exist, or be what the same source was imported to
  DType dtype = DType::kBF16;    // of the written weights, from GGUF: F32, F16 or BF16; a folder keeps its own
};

struct ImportResult {
  std::filesystem::path directory;
  bool already_present = false;  // the same source was imported there before; nothing was done
  std::int64_t tensors = 0;
  std::int64_t parameters = 0;
  bool has_tokenizer = true;  // a folder may come without: it then serves token ids only
  std::string source_sha256;  // of the GGUF file, or over the folder's files
};

// done and total in bytes of source tensors.
using ImportProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Works in a temporary folder beside `output` and publishes it whole. Errors: kBadInput (unusable source, the
// culprit named), kConflict (`output` is something else), kResource (disk), kCancelled is for `progress` to throw.
ImportResult import_model(const ImportOptions& options, const ImportProgress& progress = {});

}  // namespace cutd
