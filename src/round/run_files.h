// Which files a run's configuration names: what must be at hand when it is checked or started.
#pragma once

#include <string>
#include <vector>

#include "round/run_config.h"

namespace cutd {

struct RunFile {
  std::string key;   // "data.train"
  std::string name;  // as the configuration says it
};

// In the order of the configuration; keys that name no file are left out.
std::vector<RunFile> list_run_files(const RunConfig& config);

}  // namespace cutd
