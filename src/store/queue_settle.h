// How items of the queue end: what was counted becomes the judgment, or an operator must look. Internal to the module.
#pragma once

#include "store/queue.h"

namespace cutd::queue_detail {

// Live leases whose deadline has passed, the longest overdue first, at most `most` of them. Returns how many.
std::int64_t expire_overdue(Writer& writer, std::int64_t now_ms, std::int64_t most = 200);
void see_clock(Writer& writer, std::int64_t now_ms);

// The judgments counted for `task` settle it, as its queue's agreement rule says. Nothing for a task that is not open.
void settle_by_votes(Writer& writer, TaskId task);
// The same when the queue closes: with what is there, and without a label where that comes to none.
void settle_at_close(Writer& writer, TaskId task);

// An item that somebody skipped and nobody is left to judge waits for an operator. Where nobody skipped, people are
// missing, not judgment: it stays open.
void review_if_nobody_is_left(Writer& writer, TaskId task);
// The same for every item of the queues at work that somebody skipped: after people have become fewer.
void review_where_nobody_is_left(Writer& writer);
void mark_for_review(Writer& writer, TaskId task, const std::string& reason);

// What the person holds goes to others now.
void give_back_live(Writer& writer, UserId user);
// The person's counted work in queues at work becomes surplus and its items wait again, but for those that an operator
// has settled.
void take_back_work(Writer& writer, UserId user);

Queue require_queue_of(Reader& reader, TaskId task);

}  // namespace cutd::queue_detail
