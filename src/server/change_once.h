// A change that is one transaction. For handlers of Router::add_once().
#pragma once

#include "server/http.h"
#include "store/store.h"

namespace cutd {

// What `command` does and the reply it makes become durable together, so that a repeat of the request gets this very
// reply, wherever the daemon was killed in between. A `command` that throws leaves neither.
template <typename Command>
Reply change_once(Store& store, const Request& request, Command command) {
  return store.write([&](Writer& writer) {
    Reply reply = command(writer);
    if (request.keep) request.keep(writer, reply);
    return reply;
  });
}

}  // namespace cutd
