// Which configuration `cutd demo` runs: a file, or one of those compiled in from examples/.
#pragma once

#include <string>
#include <vector>

#include "round/instruction_sets.h"
#include "round/run_config.h"

namespace cutd {

struct DemoConfig {
  std::string name;  // for display: the file's path, or its name under examples/
  RunConfig config;
  FileReader files;  // reads what the configuration names
};

// `path` empty: demo.yaml, or demo-quick.yaml with `quick`. Throws Error(kUsage, kBadInput, kNotFound) naming file
// and key.
DemoConfig read_demo_config(const std::string& path, bool quick, const std::vector<ConfigOverride>& overrides);

}  // namespace cutd
