// The --data-dir flag, the same everywhere.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cutd {

inline constexpr const char* kDefaultDataDir = "./cutd-data";

// Default: $CUTD_DATA_DIR, else `fallback`.
void add_data_dir_option(CLI::App& command, std::string& target, const char* fallback = kDefaultDataDir);

}  // namespace cutd
