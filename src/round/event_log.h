// The rounds' changes of phase as lines of the daemon's log, whoever made them: read from the append-only events.
#pragma once

#include <cstdint>

#include "core/log.h"
#include "store/store.h"

namespace cutd {

// One thread at a time.
class EventLog {
 public:
  // Begins after the events that are there.
  EventLog(const Store& store, Logger& logger);

  // Writes what has happened since the last call: "run 1, round 2: judging to training (every response is judged)".
  void write_new();

 private:
  const Store& store_;
  Logger& logger_;
  std::int64_t last_;
};

}  // namespace cutd
