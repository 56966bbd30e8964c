#include "server/router.h"

#include <algorithm>
#include <optional>

namespace cutd {
namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::string_view part = path.substr(0, path.find('/'));
    parts.emplace_back(part);
    path.remove_prefix(part.size());
  }
  return parts;
}

bool is_capture(const std::string& part) { return part.size() > 2 && part.front() == '{' && part.back() == '}'; }

using Captures = std::map<std::string, std::string>;

std::optional<Captures> match(const std::vector<std::string>& pattern, const std::vector<std::string>& parts) {
  if (pattern.size() != parts.size()) return std::nullopt;
  Captures captures;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_capture(pattern[i]) && !parts[i].empty()) {
      captures[pattern[i].substr(1, pattern[i].size() - 2)] = parts[i];
    } else if (pattern[i] != parts[i]) {
      return std::nullopt;
    }
  }
  return captures;
}

Reply run_handler(const Route& route, const Request& request, Logger& logger, const Around& around) {
  const std::string what = request.method + " " + request.path;
  try {
    return around ? around(route, request) : route.handler(request);
  } catch (const Error& error) {
    if (http_status(error.code()) >= 500) logger.error(what + ": " + error.what());
    return problem_reply(error);
  } catch (const std::exception& error) {
    logger.error(what + ": " + error.what());
    return problem_reply(500, "unexpected failure; the daemon's log has more", ErrorCode::kInternal);
  }
}

Reply sign_in_first() {
  Reply reply = problem_reply(401, "sign in, or send \"Authorization: Bearer TOKEN\"", "unauthorized");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

Reply not_allowed(const Request& request, const std::vector<std::string>& allowed) {
  Reply reply = problem_reply(405, request.method + " is not for " + request.path, ErrorCode::kUsage);
  std::string methods;
  for (const std::string& method : allowed) methods += (methods.empty() ? "" : ", ") + method;
  reply.headers.emplace_back("Allow", methods);
  return reply;
}

// Whether `left` names more of the path by its literal parts, from the front.
bool more_literal(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (is_capture(left[i]) != is_capture(right[i])) return !is_capture(left[i]);
  }
  return false;
}

}  // namespace

void Router::add(const std::string& method, const std::string& pattern, Access access, Handler handler) {
  add_route({method, pattern, access, std::move(handler), false, false, split_path(pattern)});
}

void Router::add_secret(const std::string& method, const std::string& pattern, Access access, Handler handler) {
  add_route({method, pattern, access, std::move(handler), true, false, split_path(pattern)});
}

void Router::add_once(const std::string& method, const std::string& pattern, Access access, Handler handler) {
  add_route({method, pattern, access, std::move(handler), false, true, split_path(pattern)});
}

void Router::add_route(Route route) {
  for (const Route& other : routes_) {
    if (other.method == route.method && other.parts == route.parts) {
      throw Error(ErrorCode::kInternal, "two routes for " + route.method + " " + route.pattern);
    }
  }
  routes_.push_back(std::move(route));
}

Reply Router::handle(Request request, Logger& logger, const Around& around) const {
  const std::vector<std::string> parts = split_path(request.path);
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const Route* best = nullptr;
  std::vector<std::string> allowed;
  bool is_public = false;  // some method of the path is
  for (const Route& route : routes_) {
    auto captures = match(route.parts, parts);
    if (!captures) continue;
    is_public = is_public || route.access == Access::kPublic;
    if (route.method != method) {
      allowed.push_back(route.method);
      if (route.method == "GET") allowed.push_back("HEAD");
    } else if (!best || more_literal(route.parts, best->parts)) {
      best = &route;
      request.captures = std::move(*captures);
    }
  }
  if (best && allows(best->access, request.principal)) return run_handler(*best, request, logger, around);
  if (!request.principal && (best || !is_public)) return sign_in_first();
  if (best) {
    return problem_reply(403, std::string("this is for the role ") + access_name(best->access), "forbidden");
  }
  if (allowed.empty()) return problem_reply(404, "no such path: " + request.path, ErrorCode::kNotFound);
  return not_allowed(request, allowed);
}

}  // namespace cutd
