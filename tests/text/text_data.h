// Where the tests of src/text find their data.
#pragma once

#include <filesystem>
#include <string>

#include "core/files.h"
#include "core/json.h"
#include "support/folders.h"
#include "support/golden.h"
#include "text/tokenizer.h"

namespace cutd {

// Small cases kept in the tree, written by data/make_cases.py.
inline std::filesystem::path text_data(const std::string& name) { return source_folder() / "tests/text/data" / name; }

// The project's golden data, which a user's clone does not have.
inline std::filesystem::path golden_tokenizer_data(const std::string& name) {
  return golden_folder() / "tokenizer" / name;
}

inline Tokenizer small_tokenizer(const std::string& name, const TokenizerConfig& config = {}) {
  const auto path = text_data(name + ".tokenizer.json");
  return Tokenizer::from_json(read_file(path), config, path.string());
}

}  // namespace cutd
