// What one person does in the queue. A lease is known by a secret (32 hex digits) together with its person: another
// person's is Error(kNotFound), as one that never was. Every call first expires what is overdue.
#pragma once

#include <optional>
#include <string>

#include "store/queue.h"

namespace cutd {

struct Suggestion {
  JudgmentLabel label = JudgmentLabel::kNegative;
  std::string text;
  std::string source;  // the annotator that said it
};

struct DraftText {
  std::optional<JudgmentLabel> label;
  std::string text;
  std::int64_t saved_at = 0;
};

// An item as its person sees it. Nothing here tells a gold item from another.
struct LeasedItem {
  std::string item;
  std::string token;  // of this claim; earlier ones stay good
  std::int64_t left_ms = 0;
  std::int64_t longest_left_ms = 0;
  std::string instruction;
  std::string input;
  std::string response;
  std::string guideline;  // hash
  std::optional<DraftText> draft;
  std::optional<Suggestion> suggestion;
};

struct ClaimInput {
  UserId user;
  std::int64_t now_ms = 0;
  std::optional<std::string> item;  // an own one to take up again
  double draw = 0;                  // uniform in [0, 1): decides about gold
};
struct ClaimResult {
  std::optional<LeasedItem> item;
  std::string why;  // none: empty | cap | cooling_down | blocked | closed
};
// The live lease that has no draft, else a new one: an item this person never met before one that ran out or was given
// back. Error(kNotFound) for an `item` of somebody else, kConflict for one that is settled, skipped or taken.
ClaimResult claim_task(Writer& writer, const ClaimInput& input);

struct LeaseRef {
  UserId user;
  std::string token;
  std::int64_t now_ms = 0;
};

// Milliseconds left. Error(kConflict) when the lease has run out.
std::int64_t renew_lease(Writer& writer, const LeaseRef& lease);

// Keeps the text and renews; of a lease that has run out the text is kept too, and 0 ms are left. Error(kConflict) when
// it is settled or skipped.
struct SavedDraft {
  std::int64_t saved_at = 0;
  std::int64_t left_ms = 0;
};
SavedDraft save_draft(Writer& writer, const LeaseRef& lease, const DraftText& draft);

struct Submission {
  JudgmentLabel label = JudgmentLabel::kNegative;
  std::string text;  // checked by the caller (judge_client/human_annotator.h)
  std::optional<double> seconds_spent;
};
struct SubmitResult {
  std::string item;
  std::string state;  // counted | surplus
  std::int64_t submitted_at = 0;
};
// Settles the lease; the last of `overlap` settles the judgment. The same again gives the same result; another text for
// a settled lease is Error(kConflict). After the lease ran out, was released or its queue closed: surplus, kept and
// never counted. A gold item that shows its person to be too careless blocks them: what they had counted in queues
// still at work becomes surplus and its items wait again.
SubmitResult submit_judgment(Writer& writer, const LeaseRef& lease, const Submission& submission);

// For good. When nobody is left who could judge the item it waits for an operator's look. Returns the item.
std::string skip_task(Writer& writer, const LeaseRef& lease, const std::string& reason);

// Gives the item back; it does not come to this person again for kCoolDownMs. Its draft is kept.
void release_task(Writer& writer, const LeaseRef& lease);

// After a block: gold items up to now do not count any more. Error(kNotFound) for who is not blocked.
void unblock_person(Writer& writer, UserId user);

}  // namespace cutd
