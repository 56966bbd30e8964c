#include <algorithm>

#include "round/run_summary.h"
#include "server/browse_routes.h"
#include "server/route_arguments.h"
#include "server/routes.h"
#include "server/views.h"
#include "store/adapters.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

Json run_details(Reader& reader, RunId id, const ReadContext& context) {
  const auto run = find_run(reader, id);
  if (!run) throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(id.value));
  Json view = run_view(reader, *run);
  view["config"] = run->config.parse().value("config", Json::object());
  view["summary"] = run_summary_json(summarize_run(reader, id, context.data_dir, context.summaries.get()));
  return view;
}

Round require_round(Reader& reader, RoundId id) {
  auto round = find_round(reader, id);
  if (!round) throw Error(ErrorCode::kNotFound, "there is no round " + std::to_string(id.value));
  return std::move(*round);
}

Json list_run_views(Reader& reader) {
  Json list = Json::array();
  for (const Run& run : list_runs(reader)) list.push_back(run_view(reader, run));
  return list;
}

Json list_round_views(Reader& reader, RunId run) {
  if (!find_run(reader, run)) throw Error(ErrorCode::kNotFound, "there is no run " + std::to_string(run.value));
  Json list = Json::array();
  for (const Round& round : list_rounds(reader, run)) list.push_back(round_view(round));
  return list;
}

Json list_event_views(Reader& reader, RoundId round, std::int64_t after) {
  require_round(reader, round);
  Json list = Json::array();
  for (const RoundEvent& event : list_round_events(reader, round)) {
    if (event.id > after) list.push_back(event_view(event));
  }
  return list;
}

Json list_model_views(const std::filesystem::path& models) {
  std::vector<std::filesystem::path> folders;
  if (std::filesystem::is_directory(models)) {
    for (const auto& entry : std::filesystem::directory_iterator(models)) {
      if (std::filesystem::exists(entry.path() / "config.json")) folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  Json list = Json::array();
  for (const auto& folder : folders) list.push_back(model_view(folder));
  return list;
}

Json list_adapter_views(Reader& reader, RunId run, const std::filesystem::path& data_dir) {
  Json list = Json::array();
  for (const Adapter& adapter : run ? list_adapters(reader, run) : list_adapters(reader)) {
    list.push_back(adapter_view(adapter, data_dir));
  }
  return list;
}

void add_run_routes(Router& router, const ReadContext& context) {
  router.add("GET", "/api/v1/runs", Access::kViewer, [context](const Request&) {
    return json_reply({{"runs", read_from(context, [](Reader& reader) { return list_run_views(reader); })}});
  });
  router.add("GET", "/api/v1/runs/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<RunId>(request);
    return json_reply(read_from(context, [&](Reader& reader) { return run_details(reader, id, context); }));
  });
  router.add("GET", "/api/v1/runs/{id}/rounds", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<RunId>(request);
    return json_reply({{"rounds", read_from(context, [&](Reader& reader) { return list_round_views(reader, id); })}});
  });
}

void add_round_routes(Router& router, const ReadContext& context) {
  router.add("GET", "/api/v1/rounds/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<RoundId>(request);
    return json_reply(read_from(context, [&](Reader& reader) { return round_view(require_round(reader, id)); }));
  });
  router.add("GET", "/api/v1/rounds/{id}/events", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<RoundId>(request);
    const std::int64_t after = query_integer(request, "after", 0, 0, INT64_MAX);
    return json_reply(
        {{"events", read_from(context, [&](Reader& reader) { return list_event_views(reader, id, after); })}});
  });
}

void add_library_routes(Router& router, const ReadContext& context) {
  router.add("GET", "/api/v1/models", Access::kViewer, [context](const Request&) {
    return json_reply({{"models", list_model_views(context.data_dir / "models")}});
  });
  router.add("GET", "/api/v1/adapters", Access::kViewer, [context](const Request& request) {
    const RunId run{query_integer(request, "run", 0, 1, INT64_MAX)};
    return json_reply({{"adapters", read_from(context, [&](Reader& reader) {
                          return list_adapter_views(reader, run, context.data_dir);
                        })}});
  });
  router.add("GET", "/api/v1/adapters/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<AdapterId>(request);
    const auto adapter = read_from(context, [&](Reader& reader) { return find_adapter(reader, id); });
    if (!adapter) throw Error(ErrorCode::kNotFound, "there is no adapter " + std::to_string(id.value));
    return json_reply(adapter_view(*adapter, context.data_dir));
  });
}

}  // namespace

void add_read_routes(Router& router, const ReadContext& context) {
  add_run_routes(router, context);
  add_round_routes(router, context);
  add_library_routes(router, context);
  add_browse_routes(router, context);
  add_ledger_read_routes(router, context);
}

}  // namespace cutd
