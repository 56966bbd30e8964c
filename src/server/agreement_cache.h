// What people of a queue agree on, read anew only after something was counted or taken back: pages ask for it far more
// often than it changes.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "round/people.h"
#include "store/queue_views.h"

namespace cutd {

// Thread-safe.
class AgreementCache {
 public:
  QueueAgreement of(Reader& reader, const Queue& queue, const QueueCounts& counts) {
    // Counting adds to the first, taking back moves one to the second, which never shrinks: no state comes twice.
    const std::pair state(counts.submitted, counts.surplus);
    {
      const std::scoped_lock lock(mutex_);
      const auto found = known_.find(queue.id);
      if (found != known_.end() && found->second.first == state) return found->second.second;
    }
    const QueueAgreement agreement = queue_agreement(reader, queue);
    const std::scoped_lock lock(mutex_);
    known_[queue.id] = {state, agreement};
    return agreement;
  }

 private:
  std::mutex mutex_;
  std::map<QueueId, std::pair<std::pair<std::int64_t, std::int64_t>, QueueAgreement>> known_;  // guarded by mutex_
};

}  // namespace cutd
