// Method and path to handler. The one place where a handler's error becomes an HTTP status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "server/http.h"

namespace cutd {

// Built once, then constant: handle() is thread-safe when the handlers are.
class Router {
 public:
  // `pattern`: "/api/v1/runs/{id}/pause"; a part in braces takes one path segment, which the handler finds in
  // Request::captures. Throws Error(kInternal) when method and pattern are there already.
  void add(const std::string& method, const std::string& pattern, Handler handler);

  // The matching handler's reply. 404 for an unknown path, 405 with Allow for a known path; a thrown Error
  // as http_status() says; anything else 500, and a line in `logger`.
  Reply handle(Request request, Logger& logger) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> parts;  // of the pattern
    Handler handler;
  };

  std::vector<Route> routes_;
};

}  // namespace cutd
