// The daemon's parts put together, for `cutd serve` and `cutd demo`: lock and store, engine, runs, HTTP.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/clock.h"
#include "core/log.h"
#include "engine/client.h"
#include "round/run_service.h"
#include "round/schedule_service.h"
#include "server/http_server.h"
#include "server/router.h"
#include "store/store.h"

namespace cutd {

struct DaemonOptions {
  std::filesystem::path data_dir;
  std::filesystem::path engine;     // empty: cutd-engine beside this program
  std::filesystem::path schedules;  // of night cycles; empty: DATA/schedules.yaml, where there is one
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
  std::optional<std::string> wait(std::stop_token stop);

  RunService& runs() { return runs_; }
  Store& store() { return store_; }

 private:
  Reply handle(const Request& request);

  Logger& logger_;
  Store store_;
  EngineClient engine_;
  RunService runs_;
  ScheduleService schedules_;
  Router router_;
  HttpServer server_;
  std::thread server_thread_;
};

}  // namespace cutd
