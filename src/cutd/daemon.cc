#include "cutd/daemon.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/credentials.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/yaml.h"
#include "cutd/version.h"
#include "judge_client/make_llm_judge.h"
#include "server/pages.h"
#include "server/routes.h"

namespace cutd {
namespace {

EngineProcessOptions engine_options(const DaemonOptions& options) {
  EngineProcessOptions engine;
  engine.program = options.engine.empty() ? find_engine_program() : std::filesystem::absolute(options.engine);
  engine.log_file = options.data_dir / "engine.log";
  return engine;
}

Json engine_view(const EngineState& state) {
  return {{"running", state.running},
          {"pid", state.pid},
          {"phase", state.phase},
          {"starts", state.starts},
          {"last_failure", state.last_failure}};
}

// Judges as annotators are configured; keys are looked up when they are needed.
RunServiceOptions run_options(const std::filesystem::path& data_dir, const Clock& clock) {
  RunServiceOptions options;
  options.judges = [data_dir, &clock](const AnnotatorConfig& annotator) -> std::unique_ptr<Judge> {
    if (!asks_over_http(annotator)) return make_judge(annotator);
    const std::string& name = annotator.llm.api_key_name;
    return make_llm_judge(annotator.llm, name.empty() ? "" : find_credential(name, data_dir), clock,
                          annotator.kind == "batch");
  };
  return options;
}

Router make_router(Store& store, RunService& runs, const EngineClient& engine, const Clock& clock) {
  Router router;
  add_version_route(router);
  add_page_routes(router, embedded_server());
  add_read_routes(router,
                  {[&store](const std::function<void(Reader&)>& query) { store.read(query); }, store.data_dir()});
  add_daemon_routes(router, {store, runs, clock, [&engine] { return engine_view(engine.state()); }});
  return router;
}

RunId start_cycle(RunService& runs, const Schedule& schedule, std::optional<std::int64_t> ends_at,
                  const CycleOrigin& origin) {
  std::vector<ConfigOverride> overrides;
  for (const auto& [key, text] : cycle_overrides(schedule, ends_at)) overrides.push_back({key, text});
  const RunConfig config = parse_run_config(read_yaml_file(schedule.config), schedule.config, overrides);
  return runs.start(config, files_beside(std::filesystem::path(schedule.config).parent_path()), origin);
}

}  // namespace

std::filesystem::path socket_path(const std::filesystem::path& data_dir) { return data_dir / "cutd.sock"; }

std::filesystem::path schedules_path(const std::filesystem::path& data_dir) { return data_dir / "schedules.yaml"; }

void make_data_dir(const std::filesystem::path& data_dir) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(data_dir, error);
  if (error) throw Error(ErrorCode::kIo, "cannot make the data folder " + data_dir.string() + ": " + error.message());
  if (made) std::filesystem::permissions(data_dir, std::filesystem::perms::owner_all);
}

Daemon::Daemon(const DaemonOptions& options, const Clock& clock, Logger& logger)
    : logger_(logger),
      store_(options.data_dir, clock, logger),
      engine_(engine_options(options), clock, logger),
      runs_(store_, engine_, run_options(options.data_dir, clock), clock, logger),
      schedules_(
          options.schedules.empty() ? schedules_path(options.data_dir) : options.schedules, store_,
          [this](const Schedule& schedule, std::optional<std::int64_t> ends_at, const CycleOrigin& origin) {
            return start_cycle(runs_, schedule, ends_at, origin);
          },
          clock, logger),
      router_(make_router(store_, runs_, engine_, clock)),
      server_([this](const Request& request) { return handle(request); }, {}, logger) {
  server_.listen_unix(socket_path(options.data_dir));
}

Daemon::~Daemon() {
  server_.stop();
  schedules_.stop();
  runs_.stop();
  if (server_thread_.joinable()) server_thread_.join();
}

Reply Daemon::handle(const Request& request) {
  Request known = request;
  if (known.local) known.principal = Principal{Role::kOperator, std::nullopt, "", 0, false};
  return router_.handle(std::move(known), logger_);
}

void Daemon::begin() {
  server_thread_ = std::thread([this] { server_.run(); });
  runs_.begin();
  schedules_.begin();
  logger_.info("serving " + store_.data_dir().string() + ", epoch " + std::to_string(store_.epoch()));
}

std::optional<std::string> Daemon::wait(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  std::optional<std::string> failure;
  while (!stop.stop_requested() && !(failure = runs_.failure())) {
    changed.wait_for(lock, stop, std::chrono::milliseconds(500), [] { return false; });
  }
  return failure;
}

}  // namespace cutd
