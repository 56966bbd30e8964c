// Money and paid requests: GET ledger, attempts; POST attempts/{id}/resolve, ledger/caps.
#include <map>

#include "core/clock.h"
#include "core/error.h"
#include "server/ledger_views.h"
#include "server/route_arguments.h"
#include "server/routes.h"

namespace cutd {
namespace {

constexpr std::int64_t kPage = 50;
constexpr std::int64_t kMostPage = 200;

std::optional<AttemptState> state_of(const Request& request) {
  const auto given = request.query.find("state");
  if (given == request.query.end() || given->second.empty()) return std::nullopt;
  for (const AttemptState state :
       {AttemptState::kIntent, AttemptState::kReceived, AttemptState::kFailed, AttemptState::kUnknown}) {
    if (given->second == name_of(state)) return state;
  }
  throw Error(ErrorCode::kBadInput, "query: state must be intent, received, failed or unknown");
}

Reply attempts_reply(Reader& reader, const Request& request) {
  const std::int64_t limit = query_integer(request, "limit", kPage, 1, kMostPage);
  const std::int64_t before = query_integer(request, "cursor", 0, 1, INT64_MAX);
  Json list = Json::array();
  std::int64_t last = 0;
  for (const Attempt& attempt : list_attempts(reader, state_of(request), limit, before)) {
    list.push_back(attempt_view(attempt));
    last = attempt.id.value;
  }
  const bool more = static_cast<std::int64_t>(list.size()) == limit;
  return json_reply({{"attempts", std::move(list)}, {"next", more ? Json(std::to_string(last)) : Json()}});
}

AttemptResolution resolution_of(const Json& body) {
  static const std::map<std::string, AttemptResolution> known = {{"charged", AttemptResolution::kCharged},
                                                                 {"not_charged", AttemptResolution::kNotCharged},
                                                                 {"resend", AttemptResolution::kResend}};
  const auto found = known.find(json_get<std::string>(body, "resolution", kRequestBody));
  if (found != known.end()) return found->second;
  throw Error(ErrorCode::kBadInput, "request body: key \"resolution\" must be charged, not_charged or resend");
}

// {"resolution": "charged" | "not_charged" | "resend"}
Reply resolve(const DaemonContext& context, const Request& request) {
  const auto id = path_id<AttemptRowId>(request);
  const AttemptResolution resolution = resolution_of(json_body(request));
  return context.store.write([&](Writer& writer) {
    resolve_attempt(writer, id, resolution);
    const bool again = resolution != AttemptResolution::kCharged && reopen_held_judgment(writer, id);
    Json view = attempt_view(find_attempt(writer, id).value());
    view["asked_again"] = again;
    return json_reply(view);
  });
}

// {"annotator": name, "request"?, "round"?, "day"?, "total"?}: micro-dollars; what is absent stays.
Reply set_caps(const DaemonContext& context, const Request& request) {
  const Json body = json_body(request);
  const auto annotator = json_get<std::string>(body, "annotator", kRequestBody);
  return context.store.write([&](Writer& writer) {
    std::optional<SpendCaps> caps = find_spend_caps(writer, annotator);
    if (!caps) throw Error(ErrorCode::kNotFound, "no annotator called \"" + annotator + "\" has spending caps");
    const std::pair<const char*, std::int64_t*> fields[] = {
        {"request", &caps->request}, {"round", &caps->round}, {"day", &caps->day}, {"total", &caps->total}};
    for (const auto& [key, amount] : fields) {
      *amount = json_get_or<std::int64_t>(body, key, *amount, kRequestBody);
      if (*amount < 0) throw Error(ErrorCode::kBadInput, std::string("request body: key \"") + key + "\" is negative");
    }
    set_spend_caps(writer, annotator, *caps);
    return json_reply(caps_view(writer, annotator));
  });
}

}  // namespace

void add_ledger_read_routes(Router& router, const ReadContext& context) {
  router.add("GET", "/api/v1/ledger", Access::kViewer, [context](const Request& request) {
    const RunId run{query_integer(request, "run", 0, 1, INT64_MAX)};
    const std::int64_t before = query_integer(request, "cursor", 0, 1, INT64_MAX);
    const std::int64_t limit = query_integer(request, "limit", kPage, 1, kMostPage);
    const std::int64_t now = SystemClock().wall_micros();
    Json view;
    context.with_reader([&](Reader& reader) { view = ledger_view(reader, run, before, limit, now); });
    return json_reply(view);
  });
  router.add("GET", "/api/v1/attempts", Access::kViewer, [context](const Request& request) {
    Reply reply;
    context.with_reader([&](Reader& reader) { reply = attempts_reply(reader, request); });
    return reply;
  });
}

void add_ledger_command_routes(Router& router, const DaemonContext& context) {
  router.add("POST", "/api/v1/attempts/{id}/resolve", Access::kOperator,
             [context](const Request& request) { return resolve(context, request); });
  router.add("POST", "/api/v1/ledger/caps", Access::kOperator,
             [context](const Request& request) { return set_caps(context, request); });
}

}  // namespace cutd
