#include "server/gate.h"

#include "server/secrets.h"
#include "store/people.h"

namespace cutd {
namespace {

constexpr std::int64_t kTouchMicros = 60'000'000;  // a session's last use is written down at most this often

bool is_change(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

Principal principal_of(const Proof& proof, bool by_cookie) {
  return {proof.role, proof.user, proof.name, proof.expires_at, by_cookie};
}

Reply unauthorized(const char* why) {
  Reply reply = problem_reply(401, why, "unauthorized");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace

Gate::Gate(const Router& router, Store& store, const Clock& clock, GateOptions options, Logger& logger)
    : router_(router),
      store_(store),
      clock_(clock),
      options_(std::move(options)),
      logger_(logger),
      idempotency_(store, clock) {}

Reply Gate::handle(Request request) {
  try {
    if (request.local) {
      request.principal = Principal{Role::kOperator, std::nullopt, "", 0, false};
    } else {
      if (auto refusal = refuse_origin(request)) return std::move(*refusal);
      if (auto refusal = authenticate(request)) return std::move(*refusal);
      if (auto refusal = refuse_change(request)) return std::move(*refusal);
    }
  } catch (const Error& error) {
    logger_.error(request.method + " " + request.path + ": " + error.what());
    return problem_reply(error);
  }
  return router_.handle(std::move(request), logger_, [this](const Route& route, const Request& matched) {
    return is_change(matched) ? idempotency_.run(route, matched) : route.handler(matched);
  });
}

std::optional<Reply> Gate::refuse_origin(const Request& request) const {
  const std::string* host = find_header(request, "host");
  if (!host || !is_our_host(*host, options_.origin)) {
    return problem_reply(421, "this daemon does not answer to that Host; --public-url names another address for it",
                         "forbidden");
  }
  const bool is_data = request.path.starts_with("/api/") || is_change(request);
  if (is_data && is_from_elsewhere(request, options_.origin)) {
    return problem_reply(403, "another site's page may not ask this", "forbidden");
  }
  return std::nullopt;
}

// Leaves the principal empty when there is no credential. One that does not hold is an error even where none is
// needed, so that nobody believes to be signed in; only the cookie, which browsers send unasked, is let pass.
std::optional<Reply> Gate::authenticate(Request& request) {
  const std::int64_t now = clock_.wall_micros();
  if (const std::string* authorization = find_header(request, "authorization")) {
    if (!authorization->starts_with("Bearer ")) return unauthorized("Authorization must be \"Bearer TOKEN\"");
    const std::string hash = secret_hash(authorization->substr(7));
    const auto proof = store_.read([&](Reader& reader) { return find_token(reader, hash, now); });
    if (!proof) return unauthorized("this token is unknown, expired or revoked");
    request.principal = principal_of(*proof, false);
    if (proof->seen_at < now - kTouchMicros) store_.submit([hash](Writer& writer) { touch_token(writer, hash); });
    return std::nullopt;
  }
  const auto secret = session_secret(request, options_.https());
  if (!secret) return std::nullopt;
  const std::string hash = secret_hash(*secret);
  const auto proof = store_.read([&](Reader& reader) { return find_session(reader, hash, now); });
  if (!proof) return std::nullopt;
  request.principal = principal_of(*proof, true);
  if (proof->seen_at < now - kTouchMicros) store_.submit([hash](Writer& writer) { touch_session(writer, hash); });
  return std::nullopt;
}

std::optional<Reply> Gate::refuse_change(const Request& request) const {
  if (!is_change(request)) return std::nullopt;
  if (request.principal && request.principal->by_cookie) {
    if (!is_same_origin(request, options_.origin)) {
      return problem_reply(403, "a change by session cookie needs Origin or Sec-Fetch-Site: same-origin", "forbidden");
    }
    if (!find_header(request, "idempotency-key")) {
      return problem_reply(403, "a change by session cookie needs an Idempotency-Key", "forbidden");
    }
  }
  const std::string* type = find_header(request, "content-type");
  if (!request.body.empty() && (!type || !type->starts_with("application/json"))) {
    return problem_reply(415, "the body must be application/json", ErrorCode::kBadInput);
  }
  return std::nullopt;
}

}  // namespace cutd
