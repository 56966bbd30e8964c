// Where the golden reference data is.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "support/folders.h"

namespace cutd {

// ../shared/data/golden, or $CUTD_SHARED/data/golden; empty when it is not there.
inline std::filesystem::path golden_folder() {
  const char* shared = std::getenv("CUTD_SHARED");
  const std::filesystem::path base = shared != nullptr ? shared : source_folder() / "../shared";
  const std::filesystem::path golden = base / "data/golden";
  return std::filesystem::is_directory(golden) ? golden : std::filesystem::path();
}

}  // namespace cutd
