// The annotation queue: which response waits for whom, who holds what, and what people wrote (docs/annotation.md).
// Everything that changes it is one command of the writer thread; that no item is ever held or counted more often than
// its overlap says, and by nobody twice, is held by constraints and triggers of schemas/sql/0005_queue.sql.
//
//   store/queue.h         nouns; queues: made from pending judgments, closed, swept
//   store/queue_lease.h   what a person does: claim, renew, draft, submit, skip, release
//   store/queue_views.h   what is read: own items, progress, people, counts, agreement
//   store/queue_work.h    tasks with all that was written about them: export, import, review
//   store/queue_rules.h   the decisions, pure
//
// Deadlines are of the boot clock. BootTime says which boot, so that after a reboot begin_queues() can give every
// lease what it had left.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"
#include "store/units.h"

namespace cutd {

using QueueId = Id<struct Queue>;
using TaskId = Id<struct QueueTask>;
using LeaseId = Id<struct Lease>;

struct BootTime {
  std::string boot_id;  // boot_id() of core/clock.h
  std::int64_t ms = 0;  // Clock::boot_millis()
};

// How one human annotator's items are given out; frozen in the queue's row.
struct QueueSettings {
  std::int64_t overlap = 1;            // people per item
  std::string agreement = "majority";  // all | majority | adjudicate (queue_rules.h)
  std::int64_t lease_ms = 0;
  std::int64_t longest_lease_ms = 0;
  double gold_share = 0;          // of what a person is given
  bool suggest = false;           // show what another annotator said
  std::vector<std::string> tags;  // people must have one of them; none: everybody
  std::string guideline;          // hash of its text
  std::int64_t deadline_ms = 0;   // the queue closes by itself after so long; 0: never
};

struct Queue {
  QueueId id;
  std::optional<RoundId> round;
  std::optional<EvaluationId> evaluation;
  AnnotatorId annotator;
  std::string state;  // open | closing | closed
  QueueSettings settings;
  std::int64_t created_at = 0;
};

// An item with a known label. `suggestion`: {label, text, source} where real items have one, else null.
struct GoldItem {
  std::string instruction;
  std::string input;
  std::string response;
  JudgmentLabel label = JudgmentLabel::kNegative;
  Json suggestion;
};

// Takes deadlines over to the present boot clock; once, before anything else is done with the queue.
void begin_queues(Writer& writer, const BootTime& now);

// Whether some pending judgment of a human annotator is in no queue yet.
bool queues_want_filling(Reader& reader);

// Puts every such judgment into the queue of its round or evaluation, made where it is new, taken up again where it was
// closed and the judgments were asked for anew. Returns the queues that now hold more than before.
struct FilledQueue {
  Queue queue;
  std::int64_t added = 0;
};
std::vector<FilledQueue> fill_queues(Writer& writer, const std::function<QueueSettings(const Annotator&)>& settings_of,
                                     std::int64_t now_ms);

// Adds those that the annotator does not have yet; returns how many.
std::int64_t add_gold(Writer& writer, AnnotatorId annotator, const std::vector<GoldItem>& items);

std::optional<Queue> find_queue(Reader& reader, QueueId id);
std::optional<Queue> find_queue(Reader& reader, UnitOwner owner, AnnotatorId annotator);
std::vector<Queue> list_queues(Reader& reader, RoundId round);
std::vector<Queue> list_queues_at_work(Reader& reader);  // open and closing, by id

// No new claims; live leases are waited for at most one lease time, then it is closed with what is counted: an item
// with at least one judgment gets the label that these make, one without gets none (its judgment fails with a reason
// that begins with kClosedFailure and counts as no failure of the round). Again is harmless. Error(kConflict) for an
// evaluation's queue: a score needs every item.
void close_queue(Writer& writer, QueueId queue, std::int64_t now_ms);
constexpr const char* kClosedFailure = "closed";

// What time does: overdue leases expire, queues close at their deadline, closing ones end, and those whose round or
// evaluation is over as well. Bounded; returns whether anything changed. Also notes the boot clock.
bool sweep_queues(Writer& writer, std::int64_t now_ms);

}  // namespace cutd
