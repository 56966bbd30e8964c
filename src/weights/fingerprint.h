// The identity of a base model, which rounds, checkpoints and evaluations record.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cutd {

// SHA-256 over names and contents of the files that decide what a model folder computes (model_files). Remembered
// in a small file beside them (".cutd-fingerprint.json", by size and modification time) where the folder can be
// written. Error(kNotFound) when config.json or the tensors are missing.
std::string model_fingerprint(const std::filesystem::path& model_dir);

// Names, sorted, of the files of a model folder that belong to the model: configuration, tensors, tokenizer.
std::vector<std::string> model_files(const std::filesystem::path& model_dir);

}  // namespace cutd
