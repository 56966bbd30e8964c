// Which address a request counts under.
#pragma once

#include <string>

#include "server/http.h"

namespace cutd {

// The peer's, unless the daemon is behind a proxy (--public-url) and the peer is on loopback, where the proxy is: then
// the last address of X-Forwarded-For, which the proxy appends. Anybody else may write into that header what they like.
std::string client_address(const Request& request, bool behind_proxy);

}  // namespace cutd
