// YAML text as a JSON value (the parser lives in the text library). Duplicate keys are refused.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/json.h"

namespace cutd {

// Throws Error(kUsage) naming `origin`, line and column.
Json parse_yaml(std::string_view text, const std::string& origin);
Json read_yaml_file(const std::filesystem::path& path);

}  // namespace cutd
