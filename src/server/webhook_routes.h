// Webhooks over HTTP: who is told about what, and the list of what could not be delivered.
#pragma once

#include "server/router.h"
#include "server/webhook_sender.h"
#include "store/store.h"

namespace cutd {

// webhooks, webhooks/{id}, webhooks/{id}/deliveries, deliveries/{id}/retry. `store` must outlive the router.
void add_webhook_routes(Router& router, Store& store, const WebhookSenderOptions& options);

}  // namespace cutd
