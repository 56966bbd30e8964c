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

Reply run_handler(const Handler& handler, const Request& request, Logger& logger) {
  const std::string what = request.method + " " + request.path;
  try {
    return handler(request);
  } catch (const Error& error) {
    if (http_status(error.code()) >= 500) logger.error(what + ": " + error.what());
    return problem_reply(error);
  } catch (const std::exception& error) {
    logger.error(what + ": " + error.what());
    return problem_reply(500, "unexpected failure; the daemon's log has more", ErrorCode::kInternal);
  }
}

}  // namespace

void Router::add(const std::string& method, const std::string& pattern, Handler handler) {
  Route route{method, split_path(pattern), std::move(handler)};
  for (const Route& other : routes_) {
    if (other.method == route.method && other.parts == route.parts) {
      throw Error(ErrorCode::kInternal, "two routes for " + method + " " + pattern);
    }
  }
  routes_.push_back(std::move(route));
}

Reply Router::handle(Request request, Logger& logger) const {
  const std::vector<std::string> parts = split_path(request.path);
  std::vector<std::string> allowed;
  for (const Route& route : routes_) {
    auto captures = match(route.parts, parts);
    if (!captures) continue;
    if (route.method == request.method) {
      request.captures = std::move(*captures);
      return run_handler(route.handler, request, logger);
    }
    allowed.push_back(route.method);
  }
  if (allowed.empty()) return problem_reply(404, "no such path: " + request.path, ErrorCode::kNotFound);
  Reply reply = problem_reply(405, request.method + " is not for " + request.path, ErrorCode::kUsage);
  std::string methods;
  for (const std::string& method : allowed) methods += (methods.empty() ? "" : ", ") + method;
  reply.headers.emplace_back("Allow", methods);
  return reply;
}

}  // namespace cutd
