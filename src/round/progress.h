// What is going on right now, for the terminal and the web page. Display only: no decision reads it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/domain.h"
#include "core/json.h"

namespace cutd {

struct ProgressSnapshot {
  std::uint64_t version = 0;  // rises with every change
  RunId run;                  // 0: nothing is running
  RoundId round;              // 0: work of the run itself (the final report)
  std::int64_t round_number = 0;
  std::int64_t round_count = 0;
  std::string activity;   // "generating", "training", "evaluating the parent", …
  std::int64_t done = 0;  // of `total` responses, steps or items
  std::int64_t total = 0;
  double tokens_per_second = 0;       // of the present engine call; 0: unknown
  std::optional<double> eta_seconds;  // until `done` is `total`
  double elapsed_seconds = 0;         // of the activity
  std::string detail;                 // one short phrase: "loss 1.23", "unit 2 of 3"
};

Json progress_json(const ProgressSnapshot& snapshot);

// A line for people about something that happened once ("round 2 promoted: …"), in order.
struct ProgressMessage {
  std::uint64_t number = 0;  // from 1, without gaps
  std::string text;
};

// Thread-safe. Writers are the runner and judge threads; readers poll or wait.
class ProgressBoard {
 public:
  explicit ProgressBoard(const Clock& clock) : clock_(clock) {}

  // Starts an activity: done 0 of `total`. `already_done` of them were found finished (after a restart).
  void begin(const ProgressSnapshot& activity, std::int64_t already_done = 0);
  // How far the activity is. Speed 0 and an empty detail leave the last ones known.
  void advance(std::int64_t done, double tokens_per_second, const std::string& detail);
  // Nothing is running.
  void idle();
  void say(std::string text);

  ProgressSnapshot snapshot() const;
  // Messages after `number`; only the newest 256 are kept.
  std::vector<ProgressMessage> messages_after(std::uint64_t number) const;
  // Waits until the version differs from `version` or the time is over; then the snapshot.
  ProgressSnapshot wait_for_change(std::uint64_t version, std::chrono::milliseconds timeout) const;

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_:
  ProgressSnapshot snapshot_;
  std::int64_t begun_millis_ = 0;
  std::int64_t begun_done_ = 0;
  std::deque<ProgressMessage> messages_;
  std::uint64_t last_message_ = 0;
};

}  // namespace cutd
