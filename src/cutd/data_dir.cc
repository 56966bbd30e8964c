#include "cutd/data_dir.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace cutd {

void add_data_dir_option(CLI::App& command, std::string& target, const char* fallback) {
  const char* from_environment = std::getenv("CUTD_DATA_DIR");
  target = from_environment != nullptr && *from_environment != '\0' ? from_environment : fallback;
  command.add_option("--data-dir", target, "The daemon's folder (also $CUTD_DATA_DIR)")->capture_default_str();
}

}  // namespace cutd
