// Watching a run of a daemon in the terminal.
#pragma once

#include <cstdint>
#include <stop_token>

#include "cutd/api_client.h"

namespace cutd {

// Shows progress on standard error until the run is no longer active, then its table on standard output (or its
// JSON with `json`). Ctrl-C ends the watching alone. Returns kExitRunFailed when it failed or was cancelled.
// Throws Error(kUnavailable) when the daemon goes away.
int follow_run(ApiClient& api, std::int64_t run, bool json);

}  // namespace cutd
