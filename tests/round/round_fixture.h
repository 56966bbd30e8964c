// A data folder, a tiny model and a run's files in a folder of their own; and verbs that take a run through its
// phases on one thread, judge included, so that a test decides what happens between any two steps.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "round/instruction_sets.h"
#include "round/judging.h"
#include "round/round_runner.h"
#include "round/run_config.h"
#include "store/adapters.h"
#include "store/check.h"
#include "store/evaluations.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/store.h"
#include "store/units.h"
#include "support/error_of.h"
#include "support/scripted_engine.h"
#include "support/temporary_directory.h"

namespace cutd {

// Where temporary folders of many small runs go: memory where there is such a place (a kill is no power loss).
std::filesystem::path fast_folder();

// A clock that the test moves; it stands still otherwise.
class HandClock final : public Clock {
 public:
  std::int64_t wall_micros() const override { return wall; }
  std::int64_t boot_millis() const override { return boot; }
  std::int64_t wall = 1'000'000'000'000;
  std::int64_t boot = 1'000;
};

// The files of a run: twelve training instructions, four gate, three report; rounds of four.
class RunFiles {
 public:
  explicit RunFiles(const std::filesystem::path& folder);

  std::map<std::string, std::string> files;  // bytes by name
  std::filesystem::path model;               // a Hugging Face folder with a configuration and some tensor

  FileReader reader() const;
  // `changes` is merged over a configuration that promotes every round.
  RunConfig config(const Json& changes = Json::object()) const;
};

std::string instruction_lines(const std::vector<std::string>& texts);

// What must not depend on crashes, pauses and failures of the engine.
struct RunOutcome {
  std::vector<std::string> manifests;
  std::vector<std::string> adapters;   // hash of what each computes and of its files, by round and kind
  std::vector<std::string> responses;  // by sample
  std::vector<std::string> scores;     // of every evaluation
  std::vector<std::string> rounds;     // outcome and parent
  std::string run;                     // state and serving adapter
  bool operator==(const RunOutcome&) const = default;
};

// One daemon's life: store and runner on a data folder, made anew after a crash.
class OneDaemon {
 public:
  OneDaemon(const std::filesystem::path& data_dir, Engine& engine, const Clock& clock, Logger& log);

  StepResult step(RunId run, std::stop_token stop = {});
  std::int64_t judge() { return judge_pending(store, judges, clock_, log_, {}); }
  // Steps and judges until the run is no longer active or `until` holds; fails the test after 2000 steps.
  RunState work(RunId run, const std::function<bool()>& until = {});
  Phase phase(RunId run);                           // of the newest round
  Round round(RunId run, std::int64_t number = 0);  // 0: the newest
  Run run(RunId id);
  std::vector<std::string> check();
  RunOutcome outcome(RunId run);

  template <typename Query>
  auto read(Query query) {
    return store.read(std::move(query));
  }
  template <typename Command>
  auto write(Command command) {
    return store.write(std::move(command));
  }

  Store store;
  ProgressBoard board;
  JudgeFactory judges = make_judge;
  std::uintmax_t free_disk = std::uintmax_t{1} << 40;
  RoundRunner runner;

 private:
  const Clock& clock_;
  Logger& log_;
};

class RoundTest : public testing::Test {
 protected:
  RoundTest() : files_(folder_.path()) { open(); }

  void open() { daemon_ = std::make_unique<OneDaemon>(folder_ / "data", engine_, clock_, log_); }
  // A new daemon on the same folder, as after a crash.
  void reopen();
  OneDaemon& daemon() { return *daemon_; }
  RunId start(const Json& changes = Json::object());
  RunState work(RunId run, const std::function<bool()>& until = {}) { return daemon().work(run, until); }
  // Until the newest round of the run is in `phase`.
  void work_to(RunId run, Phase phase);

  const TemporaryDirectory folder_{fast_folder()};
  RunFiles files_;
  HandClock clock_;
  NullLogger log_;
  ScriptedEngine engine_;
  std::unique_ptr<OneDaemon> daemon_;
};

// An undisturbed run in a folder of its own; made once per process.
const RunOutcome& undisturbed();

}  // namespace cutd
