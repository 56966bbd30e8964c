// Method and path to handler. The one place where a handler's error becomes an HTTP status, and where a route's
// declared access is held against who asks: whatever is not declared public is refused without a principal.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "server/access.h"
#include "server/http.h"

namespace cutd {

struct Route {
  std::string method;
  std::string pattern;
  Access access = Access::kOperator;
  Handler handler;
  // Request or reply hold a password, token or link: neither may be written down, hashed or not.
  bool secret = false;
  // The handler is one change_once(): it keeps its reply itself.
  bool once = false;
  std::vector<std::string> parts;  // of the pattern
};

// Runs a matched route's handler; what is done around every handler (idempotency keys) is done here.
using Around = std::function<Reply(const Route&, const Request&)>;

// Built once, then constant: handle() is thread-safe when the handlers are.
class Router {
 public:
  // `pattern`: "/api/v1/runs/{id}/pause"; a part in braces takes one path segment, which the handler finds in
  // Request::captures. Where two patterns match a path, the one with the earlier literal part wins.
  // Throws Error(kInternal) when method and pattern are there already.
  void add(const std::string& method, const std::string& pattern, Access access, Handler handler);
  void add_secret(const std::string& method, const std::string& pattern, Access access, Handler handler);
  void add_once(const std::string& method, const std::string& pattern, Access access, Handler handler);

  // The matching handler's reply; HEAD is answered as GET, and who writes the reply leaves its body out. Without a
  // principal 401 for everything but public routes, unknown paths included; 403 for the wrong role; 404 for an unknown
  // path, 405 with Allow for a known path; a thrown Error as http_status() says; anything else 500, and a line in
  // `logger`.
  Reply handle(Request request, Logger& logger, const Around& around = {}) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  void add_route(Route route);

  std::vector<Route> routes_;
};

}  // namespace cutd
