// What waits for judges that work by themselves, found in the store each time: who has something to do, and what.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "judge_client/annotator.h"
#include "store/judgments.h"
#include "store/store.h"

namespace cutd {

// Throws Error(kInternal) for an unknown id.
AnnotatorConfig annotator_config(Reader& reader, AnnotatorId id);

// Who has pending judgments of active rounds, and of evaluations that their runs wait for; people are left out
// (round/people.h), a quorum stands for its members. By id.
std::vector<AnnotatorId> annotators_with_work(Reader& reader);

// Of one annotator, by round or evaluation and then by id, without those `held` already; at most `limit` (-1: all).
std::vector<PendingJudgment> waiting_judgments(Reader& reader, AnnotatorId annotator, std::int64_t limit,
                                               const std::set<JudgmentId>& held = {});

}  // namespace cutd
