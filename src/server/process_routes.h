// What machines ask the daemon: is it well, is it ready, what are its figures, what is its contract.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"
#include "round/run_service.h"
#include "server/http_server.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

// What is referred to must outlive the router.
struct ProcessContext {
  Store& store;
  RunService& runs;
  const Clock& clock;
  std::function<const ServerCounters&()> counters;
  std::function<Json()> engine;  // {"running", "starts", …}
  const std::atomic<bool>& draining;
  std::string_view contract;  // schemas/openapi.yaml
};

// GET /healthz, /readyz, /metrics, /openapi.yaml.
void add_process_routes(Router& router, const ProcessContext& context);

}  // namespace cutd
