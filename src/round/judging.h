// Judging beside generation: whatever responses exist and wait for a judgment are judged, found in the
// store each time (architecture section 6). The daemon gives each annotator a thread (round/judge_workers.h); here is
// the same on one thread, for who wants to say when.
#pragma once

#include <cstdint>
#include <stop_token>

#include "core/clock.h"
#include "core/log.h"
#include "round/judge_seat.h"
#include "store/store.h"

namespace cutd {

// Resolves quorums, then judges every pending judgment of active rounds and of their runs' open evaluations, annotator
// by annotator, with judges made anew. Returns how many were settled; their results are durable. Pauses runs as
// JudgeSeat::judge(). Throws what the store throws.
std::int64_t judge_pending(Store& store, const JudgeFactory& make, const Clock& clock, Logger& logger,
                           std::stop_token stop);

// At start, before anything is judged: requests that were under way when the last daemon ended become unknown.
void recover_attempts(Store& store, Logger& logger);

}  // namespace cutd
