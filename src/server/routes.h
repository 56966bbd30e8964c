// The API under /api/v1: which path does what. Handlers translate between JSON and the store's queries or
// RunService's commands; they decide nothing. docs/http-api.md lists them for users.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "core/clock.h"
#include "core/json.h"
#include "round/run_service.h"
#include "round/run_summary.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

// What only reads. `with_reader` gives its argument a consistent snapshot: a daemon's Store or, for a command
// line without a daemon, a StoreReader. Thread-safe when with_reader is.
struct ReadContext {
  std::function<void(const std::function<void(Reader&)>&)> with_reader;
  std::filesystem::path data_dir;
  std::shared_ptr<RoundSummaryCache> summaries = std::make_shared<RoundSummaryCache>();
};

// A query's value out of the context's snapshot.
template <typename Query>
auto read_from(const ReadContext& context, Query query) {
  return store_detail::read_value(query, context.with_reader);
}

// GET runs, runs/{id}, runs/{id}/rounds, rounds/{id}, rounds/{id}/events, models, adapters,
// adapters/{id}, instructions.
void add_read_routes(Router& router, const ReadContext& context);
// GET ledger, attempts; called by add_read_routes().
void add_ledger_read_routes(Router& router, const ReadContext& context);

// What a running daemon adds. Everything referred to must outlive the router.
struct DaemonContext {
  Store& store;
  RunService& runs;
  const Clock& clock;
  std::function<Json()> engine;      // how the model process is: {"running", "pid", …}
  std::function<std::string()> url;  // where people reach the pages; empty: nowhere
};

// POST runs, runs/plan, runs/{id}/pause|resume|cancel, rounds/{id}/retry, instructions; GET status, health, progress
// and progress/events (server-sent events).
void add_daemon_routes(Router& router, const DaemonContext& context);
// POST runs, runs/plan; called by add_daemon_routes().
void add_start_routes(Router& router, const DaemonContext& context);
// POST attempts/{id}/resolve, ledger/caps; called by add_daemon_routes().
void add_ledger_command_routes(Router& router, const DaemonContext& context);

}  // namespace cutd
