// Judging beside generation: whatever responses exist and wait for a judgment are judged, found in the
// store each time (architecture section 6). Nothing is remembered between passes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "judge_client/annotator.h"
#include "judge_client/judge.h"
#include "store/store.h"

namespace cutd {

// Makes the judge of an annotator; tests pass scripted ones.
using JudgeFactory = std::function<std::unique_ptr<Judge>(const AnnotatorConfig&)>;

// Judges every pending judgment of active rounds and open evaluations. Returns how many were worked on;
// their results are durable. Throws what the store throws.
std::int64_t judge_pending(Store& store, const JudgeFactory& make, std::stop_token stop);

}  // namespace cutd
