// `cutd model import` as other commands need it: where a model goes, and its progress on a terminal.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "weights/import.h"

namespace cutd {

// The name under DATA/models that a source gets: its file or folder name without ".gguf", in lower case, with
// every other character than a-z 0-9 . _ - made a dash ("SmolLM2-135M-Instruct.Q4_1.gguf" gives
// "smollm2-135m-instruct.q4_1"). Throws Error(kUsage) for a source without a name.
std::string model_name_of(const std::filesystem::path& source);

// "float32", "float16" or "bfloat16".
DType parse_import_dtype(const std::string& name);

// import_model() with a line on standard error that counts up where that is a terminal, and a warning when the
// model has no tokenizer.
// Error(kCancelled) between two tensors or files once `stop` was requested; nothing is left then.
ImportResult import_model_with_progress(const std::filesystem::path& source, const std::filesystem::path& output,
                                        DType dtype, const std::stop_token& stop);

}  // namespace cutd
