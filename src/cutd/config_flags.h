// Every key of a run's configuration as a flag: --SECTION.KEY, and --KEY with dashes where one key alone has
// that last name.
#pragma once

#include <vector>

#include "round/run_config.h"

namespace CLI {
class App;
}

namespace cutd {

// What the command line names is appended to `overrides`, which must outlive the parsing.
void add_config_flags(CLI::App& command, std::vector<ConfigOverride>& overrides);

}  // namespace cutd
