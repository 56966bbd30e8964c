// Batches of paid requests at a provider: a row before it is created there, its attempts with it (store/attempts.h),
// and what became of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/attempts.h"
#include "store/store.h"

namespace cutd {

using BatchRowId = Id<struct Batch>;

struct BatchAttempt {
  AttemptRowId attempt;
  JudgmentId judgment;
  std::int64_t number = 1;
};

struct Batch {
  BatchRowId id;
  std::string name;
  std::string provider_id;  // empty: not known, it may or may not exist there
  std::int64_t created_at = 0;
  std::vector<BatchAttempt> attempts;  // of those that are still open
};

// State intent. Error(kConflict) when the name was used before.
BatchRowId add_batch(Writer& writer, const std::string& annotator, const std::string& name);
// The attempt, reserved in the same transaction, travels in the batch.
void put_into_batch(Writer& writer, BatchRowId batch, AttemptRowId attempt);

// Error(kConflict) when it is not in the state that this ends.
void batch_created(Writer& writer, const std::string& name, const std::string& provider_id);
void batch_done(Writer& writer, const std::string& name);
// It never came to be: its open attempts fail, uncharged.
void batch_failed(Writer& writer, const std::string& name, const std::string& reason);

// Of all versions of the annotator called so, by id.
std::vector<Batch> list_open_batches(Reader& reader, const std::string& annotator);

}  // namespace cutd
