#include <unistd.h>

#include <memory>

#include "core/files.h"
#include "server/route_arguments.h"
#include "server/routes.h"
#include "store/instructions.h"

namespace cutd {
namespace {

std::string reason_of(const Request& request, const char* fallback) {
  const Json body = json_body(request);
  require_keys(body, {"why", "acknowledge"});
  return json_get_or<std::string>(body, "why", fallback, kRequestBody);
}

// {"split": "train", "source": "my.jsonl", "instructions": [{"instruction", "input"?, "reference"?}]}
Reply import_rows(const DaemonContext& context, const Request& request) {
  const Json body = json_body(request);
  require_keys(body, {"split", "source", "instructions"});
  const auto split = from_name<Split>(json_get<std::string>(body, "split", kRequestBody));
  const auto source = json_get<std::string>(body, "source", kRequestBody);
  std::vector<NewInstruction> rows;
  for (const Json& row : json_get<std::vector<Json>>(body, "instructions", kRequestBody)) {
    rows.push_back({json_get<std::string>(row, "instruction", "instructions"),
                    json_get_or<std::string>(row, "input", "", "instructions"),
                    json_get_or<std::string>(row, "reference", "", "instructions")});
  }
  const ImportCounts counts =
      context.store.write([&](Writer& writer) { return import_instructions(writer, rows, split, source); });
  return json_reply({{"added", counts.added},
                     {"known", counts.known},
                     {"held_out", counts.held_out},
                     {"kept_held_out", counts.kept_held_out},
                     {"already_trained", counts.already_trained}});
}

Json status_view(const DaemonContext& context, std::int64_t started_ms) {
  const auto failure = context.runs.failure();
  const std::string url = context.url();
  return {{"pid", ::getpid()},
          {"epoch", context.store.epoch()},
          {"data_dir", context.store.data_dir().string()},
          {"url", url.empty() ? Json() : Json(url)},
          {"uptime_seconds", (context.clock.boot_millis() - started_ms) / 1000},
          {"failure", failure ? Json(*failure) : Json()},
          {"engine", context.engine()},
          {"progress", progress_json(context.runs.progress().snapshot())},
          {"judge_troubles", judge_troubles_json(context.runs.judge_troubles())},
          {"free_disk_bytes", free_disk_bytes(context.store.data_dir())}};
}

// Each new message, then the newest state when it changed.
EventSource progress_events(const ProgressBoard& board, std::uint64_t last_message) {
  struct Position {
    std::uint64_t version = UINT64_MAX;
    std::uint64_t message = 0;
  };
  return [&board, position = Position{UINT64_MAX, last_message}]() mutable -> std::optional<std::string> {
    std::string text;
    for (const ProgressMessage& message : board.messages_after(position.message)) {
      position.message = message.number;
      text += event_text("message", {{"text", message.text}}, std::to_string(message.number));
    }
    const ProgressSnapshot now = board.snapshot();
    if (now.version != position.version) text += event_text("progress", progress_json(now));
    position.version = now.version;
    return text;
  };
}

Reply progress_reply(const ProgressBoard& board, std::int64_t after) {
  Json messages = Json::array();
  for (const ProgressMessage& message : board.messages_after(static_cast<std::uint64_t>(after))) {
    messages.push_back({{"number", message.number}, {"text", message.text}});
  }
  return json_reply({{"progress", progress_json(board.snapshot())}, {"messages", std::move(messages)}});
}

void add_command_routes(Router& router, const DaemonContext& context) {
  router.add("POST", "/api/v1/runs/{id}/pause", Access::kOperator, [context](const Request& request) {
    context.runs.pause(path_id<RunId>(request), reason_of(request, "asked by the operator"));
    return json_reply(Json::object());
  });
  router.add("POST", "/api/v1/runs/{id}/resume", Access::kOperator, [context](const Request& request) {
    const bool acknowledge = json_get_or<bool>(json_body(request), "acknowledge", false, kRequestBody);
    context.runs.resume(path_id<RunId>(request), reason_of(request, "asked by the operator"), acknowledge);
    return json_reply(Json::object());
  });
  router.add("POST", "/api/v1/runs/{id}/cancel", Access::kOperator, [context](const Request& request) {
    context.runs.cancel(path_id<RunId>(request), reason_of(request, "asked by the operator"));
    return json_reply(Json::object());
  });
  router.add("POST", "/api/v1/rounds/{id}/retry", Access::kOperator, [context](const Request& request) {
    context.runs.retry(path_id<RoundId>(request), reason_of(request, "asked by the operator"));
    return json_reply(Json::object());
  });
  router.add("POST", "/api/v1/instructions", Access::kOperator,
             [context](const Request& request) { return import_rows(context, request); });
}

}  // namespace

void add_daemon_routes(Router& router, const DaemonContext& context) {
  add_start_routes(router, context);
  add_command_routes(router, context);
  add_ledger_command_routes(router, context);
  const std::int64_t started_ms = context.clock.boot_millis();
  router.add("GET", "/api/v1/status", Access::kViewer,
             [context, started_ms](const Request&) { return json_reply(status_view(context, started_ms)); });
  router.add("GET", "/api/v1/health", Access::kSignedIn, [context](const Request&) {
    const auto failure = context.runs.failure();
    if (failure) return problem_reply(503, *failure, ErrorCode::kUnavailable);
    return json_reply({{"status", "ok"}});
  });
  router.add("GET", "/api/v1/progress", Access::kViewer, [context](const Request& request) {
    return progress_reply(context.runs.progress(), query_integer(request, "after", 0, 0, INT64_MAX));
  });
  router.add("GET", "/api/v1/progress/events", Access::kViewer, [context](const Request& request) {
    Reply reply;
    reply.events = progress_events(context.runs.progress(),
                                   static_cast<std::uint64_t>(query_integer(request, "after", 0, 0, INT64_MAX)));
    return reply;
  });
}

}  // namespace cutd
