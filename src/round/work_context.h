// What the units of work of a round have at hand. References; the runner owns or outlives everything.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "engine/engine.h"
#include "round/frozen_run.h"
#include "round/progress.h"
#include "round/run_text.h"
#include "store/store.h"

namespace cutd {

struct WorkContext {
  Store& store;
  Engine& engine;
  ProgressBoard& board;
  const FrozenRun& frozen;
  const RunText& text;
  std::stop_token stop;
  ProgressSnapshot activity;  // who works: run, round and numbers; each unit adds what and how much
};

}  // namespace cutd
