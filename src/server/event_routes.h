// One stream of everything that a live page shows: GET /api/v1/events.
#pragma once

#include <functional>

#include "core/json.h"
#include "round/progress.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

// What is referred to must outlive the router.
struct EventContext {
  const Store& store;
  const ProgressBoard& progress;
  std::function<Json()> queue;  // QueueCounts; empty: no queue events
};

void add_event_routes(Router& router, const EventContext& context);

}  // namespace cutd
