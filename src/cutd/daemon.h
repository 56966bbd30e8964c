// The daemon's parts put together, for `cutd serve` and `cutd demo`: lock and store, engine, runs, HTTP, webhooks.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "engine/client.h"
#include "round/run_service.h"
#include "round/schedule_service.h"
#include "round/token_explanations.h"
#include "server/claim_rate.h"
#include "server/gate.h"
#include "server/http_server.h"
#include "server/login_throttle.h"
#include "server/router.h"
#include "server/secrets.h"
#include "server/webhook_sender.h"
#include "store/store.h"

namespace cutd {

// Where the HTTP API is served besides DATA/cutd.sock.
struct ListenOptions {
  std::string address = "127.0.0.1:8080";  // empty: on the Unix socket alone
  bool may_be_taken = true;                // then the Unix socket alone is served, with a warning
  bool beyond_loopback = false;            // the address may be reached from other machines, without HTTPS
  std::string public_url;                  // "https://judge.example.org": a reverse proxy serves it there
  std::vector<std::string> webhook_allow;  // address ranges that webhooks may reach although they are not public
};

// Throws Error(kUsage) for an address beyond loopback without the explicit word for it, and for what does not parse.
void check_listen_options(const ListenOptions& options);

struct DaemonOptions {
  std::filesystem::path data_dir;
  std::filesystem::path engine;     // empty: cutd-engine beside this program
  std::filesystem::path schedules;  // of night cycles; empty: DATA/schedules.yaml, where there is one
  ListenOptions listen;
};

// DATA/cutd.sock, and the folder made with mode 0700 when it is absent.
std::filesystem::path socket_path(const std::filesystem::path& data_dir);
void make_data_dir(const std::filesystem::path& data_dir);

std::filesystem::path schedules_path(const std::filesystem::path& data_dir);  // DATA/schedules.yaml

class Daemon {
 public:
  // Takes the folder's lock, migrates, recovers and listens; work begins with begin(). Throws Error: kBusy
  // when another daemon holds the folder. `clock` and `logger` must outlive it.
  Daemon(const DaemonOptions& options, const Clock& clock, Logger& logger);
  // Stops in order: no new requests, workers at the next step, engine, store.
  ~Daemon();

  // Serves requests and goes on with unfinished runs, on threads of its own.
  void begin();

  // Blocks until `stop` is requested or a worker failed for good; the failure then.
  // `alive` is called every half a second while the loops make progress.
  std::optional<std::string> wait(std::stop_token stop, const std::function<void()>& alive = {});

  // "http://127.0.0.1:8080", or empty when only the Unix socket is served.
  const std::string& address() const { return address_; }
  const Router& router() const { return router_; }
  // Requests get no new work: /readyz says so. The destructor stops the rest.
  void drain() { draining_ = true; }

  RunService& runs() { return runs_; }
  Store& store() { return store_; }

 private:
  void add_routes(const DaemonOptions& options, const Clock& clock);
  void listen(const ListenOptions& options);

  Logger& logger_;
  Store store_;
  EngineClient engine_;
  RunService runs_;
  ScheduleService schedules_;
  std::atomic<bool> draining_{false};
  TokenExplanations explanations_;
  Passwords passwords_;
  LoginThrottle throttle_;
  WebhookSender webhooks_;
  ClaimRate claim_rate_;
  Router router_;
  Gate gate_;
  HttpServer server_;
  std::string address_;
  std::thread server_thread_;
};

}  // namespace cutd
