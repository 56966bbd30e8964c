#include "cutd/daemon.h"

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "core/credentials.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/yaml.h"
#include "cutd/version.h"
#include "judge_client/make_llm_judge.h"
#include "round/engine_judge.h"
#include "server/event_routes.h"
#include "server/pages.h"
#include "server/people_routes.h"
#include "server/process_routes.h"
#include "server/queue_routes.h"
#include "server/routes.h"
#include "server/token_routes.h"
#include "server/webhook_routes.h"

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

// Judges as annotators are configured; keys are looked up when they are needed. A judge in the engine takes turns there
// with the runner: its calls queue.
RunServiceOptions run_options(const std::filesystem::path& data_dir, Engine& engine, const Clock& clock) {
  RunServiceOptions options;
  options.judges = [data_dir, &engine, &clock](const AnnotatorConfig& annotator) -> std::unique_ptr<Judge> {
    if (asks_engine(annotator)) return make_engine_judge(annotator.llm, engine, data_dir);
    if (!asks_over_http(annotator)) return make_judge(annotator);
    const std::string& name = annotator.llm.api_key_name;
    return make_llm_judge(annotator.llm, name.empty() ? "" : find_credential(name, data_dir), clock,
                          annotator.kind == "batch");
  };
  return options;
}

WebhookSenderOptions webhook_options(const DaemonOptions& options) {
  WebhookSenderOptions webhooks;
  webhooks.allow_private = options.listen.webhook_allow;
  webhooks.secret = [data_dir = options.data_dir] { return find_credential("CUTD_WEBHOOK_SECRET", data_dir); };
  return webhooks;
}

GateOptions gate_options(const ListenOptions& listen) {
  GateOptions gate;
  if (!listen.public_url.empty()) gate.origin = parse_public_url(listen.public_url);
  return gate;
}

bool is_behind_proxy(const ListenOptions& listen) { return !listen.public_url.empty(); }

ServerLimits server_limits(const ListenOptions& listen) {
  ServerLimits limits;
  limits.behind_proxy = is_behind_proxy(listen);
  return limits;
}

RunId start_cycle(RunService& runs, const Schedule& schedule, std::optional<std::int64_t> ends_at,
                  const CycleOrigin& origin) {
  std::vector<ConfigOverride> overrides;
  for (const auto& [key, text] : cycle_overrides(schedule, ends_at)) overrides.push_back({key, text});
  const RunConfig config = parse_run_config(read_yaml_file(schedule.config), schedule.config, overrides);
  return runs.start(config, files_beside(std::filesystem::path(schedule.config).parent_path()), origin);
}

}  // namespace

void check_listen_options(const ListenOptions& listen) {
  if (!listen.public_url.empty()) parse_public_url(listen.public_url);
  if (listen.address.empty()) return;
  if (parse_tcp_address(listen.address).loopback || listen.beyond_loopback) return;
  throw Error(ErrorCode::kUsage,
              "--listen " + listen.address +
                  " can be reached from other machines, and cutd speaks no HTTPS: listen on 127.0.0.1 behind a reverse "
                  "proxy (docs/operations.md), or add --listen-beyond-loopback where the network is trusted");
}

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
      runs_(store_, engine_, run_options(options.data_dir, engine_, clock), clock, logger),
      schedules_(
          options.schedules.empty() ? schedules_path(options.data_dir) : options.schedules, store_,
          [this](const Schedule& schedule, std::optional<std::int64_t> ends_at, const CycleOrigin& origin) {
            return start_cycle(runs_, schedule, ends_at, origin);
          },
          clock, logger),
      explanations_(store_, engine_, logger),
      passwords_(PasswordCost()),
      webhooks_(store_, webhook_options(options), clock, logger),
      gate_(router_, store_, clock, gate_options(options.listen), logger),
      server_([this](const Request& request) { return gate_.handle(request); }, server_limits(options.listen), logger) {
  add_routes(options, clock);
  server_.listen_unix(socket_path(options.data_dir));
  if (!options.listen.address.empty()) listen(options.listen);
}

Daemon::~Daemon() {
  draining_ = true;
  server_.stop();
  schedules_.stop();
  webhooks_.stop();
  runs_.stop();
  if (server_thread_.joinable()) server_thread_.join();
}

void Daemon::add_routes(const DaemonOptions& options, const Clock& clock) {
  const auto engine = [this] { return engine_view(engine_.state()); };
  const bool https = gate_options(options.listen).https();
  add_version_route(router_);
  add_page_routes(router_, embedded_server());
  add_read_routes(router_,
                  {[this](const std::function<void(Reader&)>& query) { store_.read(query); }, store_.data_dir()});
  const auto url = [this, known = options.listen.public_url] { return known.empty() ? address_ : known; };
  add_daemon_routes(router_, {store_, runs_, clock, engine, url});
  add_event_routes(router_, {store_, runs_.progress(), [this, &clock] {
                               return queue_counts_view(store_.read(
                                   [&](Reader& reader) { return counts_at_work(reader, clock.boot_millis()); }));
                             }});
  add_annotator_routes(router_, {store_, clock, claim_rate_});
  add_queue_operator_routes(router_, {store_, clock, claim_rate_});
  add_people_routes(router_, {store_, clock, passwords_, throttle_, https, is_behind_proxy(options.listen)});
  add_token_routes(router_, store_, explanations_);
  add_webhook_routes(router_, store_, webhook_options(options));
  add_process_routes(router_, {store_, runs_, clock, [this]() -> const ServerCounters& { return server_.counters(); },
                               engine, draining_, embedded_server_contract().front().bytes});
}

void Daemon::listen(const ListenOptions& options) {
  check_listen_options(options);
  const TcpAddress wanted = parse_tcp_address(options.address);
  try {
    const std::uint16_t port = server_.listen_tcp(options.address);
    const bool v6 = wanted.host.find(':') != std::string::npos;
    address_ = "http://" + (v6 ? "[" + wanted.host + "]" : wanted.host) + ":" + std::to_string(port);
  } catch (const Error& error) {
    if (!options.may_be_taken) throw;
    logger_.warning(std::string(error.what()) + "; serving the Unix socket alone");
  }
}

void Daemon::begin() {
  server_thread_ = std::thread([this] { server_.run(); });
  runs_.begin();
  schedules_.begin();
  webhooks_.begin();
  logger_.info("serving " + store_.data_dir().string() + (address_.empty() ? "" : " at " + address_) + ", epoch " +
               std::to_string(store_.epoch()));
}

std::optional<std::string> Daemon::wait(std::stop_token stop, const std::function<void()>& alive) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  std::optional<std::string> failure;
  std::uint64_t ticks = server_.counters().ticks;
  std::future<void> write;
  while (!stop.stop_requested() && !(failure = runs_.failure())) {
    changed.wait_for(lock, stop, std::chrono::milliseconds(500), [] { return false; });
    // The I/O thread's ticks and an empty write show that requests and the store's writer do not hang.
    const std::uint64_t now = server_.counters().ticks;
    const bool written = !write.valid() || write.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    if (now != ticks && written && alive) alive();
    if (written) write = store_.submit([](Writer&) {});
    ticks = now;
  }
  return failure;
}

}  // namespace cutd
