// Where a request was made: pure checks against DNS rebinding and forged changes (reliability P31).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"

namespace cutd {

// "https://judge.example.org" of --public-url: scheme and host, with a port other than the scheme's own.
struct PublicOrigin {
  std::string scheme;
  std::string host;
  std::string text() const { return scheme + "://" + host; }
};

// Throws Error(kUsage) unless `url` is http(s)://HOST[:PORT], perhaps with a "/" behind it.
PublicOrigin parse_public_url(const std::string& url);

// Whether Host names this daemon: an IP address (no name that could be bound anew), localhost, or the public host.
bool is_our_host(std::string_view host, const std::optional<PublicOrigin>& origin);

// Whether a browser says that another site's page made the request: Sec-Fetch-Site is cross-site or same-site, or
// Origin is there and not ours.
bool is_from_elsewhere(const Request& request, const std::optional<PublicOrigin>& origin);

// Whether it is proved that our own page made it: Sec-Fetch-Site: same-origin, or an Origin that is ours.
bool is_same_origin(const Request& request, const std::optional<PublicOrigin>& origin);

}  // namespace cutd
