// The only URLs that requests may go to.
#pragma once

#include <string>

#include "llm_api/address_guard.h"

namespace cutd {

struct UrlRules {
  bool allow_http = false;  // plain HTTP shows key and text to the network
};

// The URL in normal form. Error(kUsage) for another scheme than https (http where allowed), user information,
// a fragment, or a numeric host, however written, that `guard` does not permit. The text of an error names the
// host at most: paths and queries may hold secrets.
std::string checked_url(const std::string& url, const UrlRules& rules, const AddressGuard& guard);

// Why `proxy` is none that requests can go through: it must be "http://host:port" (or https), without a path, and
// without a password, as configurations hold no secrets. Empty: it is one, or there is none.
std::string proxy_defect(const std::string& proxy);

// "https://host:443" of a checked URL, for messages.
std::string url_origin(const std::string& url);

}  // namespace cutd
