// Tasks of a queue with everything that was written about them: for export, import and an operator's review. Gold items
// are none of these: they leave the daemon only as items that look like all others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/queue_lease.h"

namespace cutd {

struct TaskWork {
  std::string person;                  // "user 7", or the name an import gave
  std::string state;                   // done | surplus | skipped | live | released | expired
  std::optional<JudgmentLabel> label;  // of the submission, else of the draft
  std::string text;
  bool submitted = false;
  std::optional<double> seconds_spent;
  std::string skip_reason;
  std::int64_t at = 0;
};

struct QueueTask {
  TaskId id;
  std::string item;
  RoundId round;  // 0: of an evaluation
  ResponseId response;
  std::string instruction;
  std::string input;
  std::string response_text;
  std::string state;  // open | settled | review | closed
  std::int64_t need = 1;
  std::string review;  // why an operator must look
  std::optional<Suggestion> suggestion;
  std::vector<TaskWork> work;  // by time
};

std::vector<QueueTask> list_queue_tasks(Reader& reader, QueueId queue);  // by id

// Items that wait for an operator, with the reasons of who skipped them; after `after`, by id.
std::vector<QueueTask> list_review(Reader& reader, std::optional<RoundId> round, TaskId after, std::int64_t limit);

// An operator's word on an item in review: it settles the judgment. Error(kNotFound) for one that is not in review.
void settle_review(Writer& writer, const std::string& item, const Submission& submission, const std::string& by);
// Or it is given out again: to people who have not settled or skipped it.
void reopen_review(Writer& writer, const std::string& item);

// What a person wrote in another tool. `person` names them ("user 7" is our own account's export).
struct ImportedWork {
  std::string item;
  std::string person;
  bool skipped = false;
  Submission submission;
};
struct ImportedCounts {
  std::int64_t added = 0;
  std::int64_t known = 0;      // this person settled this item already
  std::int64_t unmatched = 0;  // no such item in the queue
};
// Counted while the item has room, surplus after.
ImportedCounts import_work(Writer& writer, QueueId queue, const std::vector<ImportedWork>& work);

}  // namespace cutd
