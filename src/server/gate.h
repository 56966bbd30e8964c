// What stands before the router: which host was meant, who asks, whether a browser was misled into asking; and, around
// each handler, idempotency keys.
#pragma once

#include <optional>

#include "core/clock.h"
#include "core/log.h"
#include "server/idempotency.h"
#include "server/origin.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

struct GateOptions {
  std::optional<PublicOrigin> origin;  // of --public-url
  bool https() const { return origin && origin->scheme == "https"; }
};

// Thread-safe. What it refers to must outlive it.
class Gate {
 public:
  Gate(const Router& router, Store& store, const Clock& clock, GateOptions options, Logger& logger);

  // On the Unix socket the daemon's own user is operator. On TCP: 421 for a foreign Host, 403 for what another site's
  // page asks, 401 for a credential that proves nothing, 403 for a change by cookie without same-origin proof or
  // Idempotency-Key, 415 for a body that is not JSON; then the router.
  Reply handle(Request request);

 private:
  std::optional<Reply> refuse_origin(const Request& request) const;
  std::optional<Reply> authenticate(Request& request);
  std::optional<Reply> refuse_change(const Request& request) const;

  const Router& router_;
  Store& store_;
  const Clock& clock_;
  const GateOptions options_;
  Logger& logger_;
  Idempotency idempotency_;
};

}  // namespace cutd
