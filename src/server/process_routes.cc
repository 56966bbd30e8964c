#include "server/process_routes.h"

#include "core/files.h"
#include "server/metrics.h"

namespace cutd {
namespace {

constexpr std::uintmax_t kLeastFreeBytes = 64u << 20;  // below it annotators' text could not be kept

Reply health(const ProcessContext& context) {
  if (const auto failure = context.runs.failure()) return problem_reply(503, *failure, ErrorCode::kUnavailable);
  return json_reply({{"status", "ok"}});
}

Reply readiness(const ProcessContext& context) {
  if (context.draining) return problem_reply(503, "the daemon is stopping", ErrorCode::kUnavailable);
  if (free_disk_bytes(context.store.data_dir()) < kLeastFreeBytes) {
    return problem_reply(503, "less than 64 MiB are free for the data folder", ErrorCode::kResource);
  }
  return health(context);
}

Reply text_reply(std::string text, const char* type) {
  Reply reply;
  reply.content_type = type;
  reply.body = std::move(text);
  return reply;
}

}  // namespace

void add_process_routes(Router& router, const ProcessContext& context) {
  router.add("GET", "/healthz", Access::kPublic, [context](const Request&) { return health(context); });
  router.add("GET", "/readyz", Access::kPublic, [context](const Request&) { return readiness(context); });
  router.add("GET", "/openapi.yaml", Access::kPublic,
             [context](const Request&) { return text_reply(std::string(context.contract), "application/yaml"); });
  router.add("GET", "/metrics", Access::kViewer, [context](const Request&) {
    return text_reply(metrics_text(read_metrics(context)), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace cutd
