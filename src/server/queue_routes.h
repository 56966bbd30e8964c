// The annotation queue over HTTP, /api/v1/queue/…: what annotators do (queue_routes.cc) and what operators see and
// decide (queue_operator_routes.cc). Handlers translate between JSON and store/queue_*.h.
#pragma once

#include <memory>

#include "core/clock.h"
#include "server/agreement_cache.h"
#include "server/claim_rate.h"
#include "server/router.h"
#include "store/queue_views.h"
#include "store/store.h"

namespace cutd {

// What is referred to must outlive the router.
struct QueueContext {
  Store& store;
  const Clock& clock;
  ClaimRate& rate;
  std::shared_ptr<AgreementCache> agreement = std::make_shared<AgreementCache>();
};

// claim, leases/{lease}/renew|draft|submit|skip|release, items, items/{item}, guidelines, progress. Who asks must have
// an account: the daemon's own user on the Unix socket has none and gets 403.
void add_annotator_routes(Router& router, const QueueContext& context);

// people, people/{id}/unblock, rounds, rounds/{id}/close, review, review/{item}/settle|reopen, export, import.
void add_queue_operator_routes(Router& router, const QueueContext& context);

// The counts of all queues at work, as the event "queue" has them.
Json queue_counts_view(const QueueCounts& counts);
QueueCounts counts_at_work(Reader& reader, std::int64_t now_ms);

}  // namespace cutd
