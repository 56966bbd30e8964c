// Judging beside generation: whatever responses exist and wait for a judgment are judged, found in the
// store each time (architecture section 6). Nothing is remembered between passes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "core/clock.h"
#include "core/log.h"
#include "judge_client/annotator.h"
#include "judge_client/judge.h"
#include "store/store.h"

namespace cutd {

// Makes the judge of an annotator; tests pass scripted ones.
using JudgeFactory = std::function<std::unique_ptr<Judge>(const AnnotatorConfig&)>;

// Judges every pending judgment of active rounds and of their runs' open evaluations. Returns how many were settled;
// their results are durable. A reached cap, used-up credit or a missing key pauses the runs that ask this annotator,
// with that reason. Throws what the store throws.
std::int64_t judge_pending(Store& store, const JudgeFactory& make, const Clock& clock, Logger& logger,
                           std::stop_token stop);

// At start, before anything is judged: requests that were under way when the last daemon ended become unknown.
void recover_attempts(Store& store, Logger& logger);

}  // namespace cutd
