// Paid requests as a write-ahead record, and the money that they may cost (reliability section 3.4): reserved in the
// same transaction that says what will be sent, before a byte is; settled with the reply; never forgotten.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

using AttemptRowId = Id<struct Attempt>;

enum class AttemptState { kIntent, kReceived, kFailed, kUnknown };
const char* name_of(AttemptState state);

// Micro-dollars. An annotator that costs money has all four.
struct SpendCaps {
  std::int64_t request = 0;
  std::int64_t round = 0;  // of one round, and of one evaluation
  std::int64_t day = 0;    // UTC
  std::int64_t total = 0;
};
// The caps of every version of the annotator called so, from now on. A lowered one stops, it takes nothing back.
void set_spend_caps(Writer& writer, const std::string& annotator, const SpendCaps& caps);
std::optional<SpendCaps> find_spend_caps(Reader& reader, const std::string& annotator);

struct Attempt {
  AttemptRowId id;
  JudgmentId judgment;
  std::int64_t number = 1;
  std::string annotator;
  AttemptState state = AttemptState::kIntent;
  std::int64_t reserved = 0;            // micro-dollars, as all amounts
  std::optional<std::int64_t> settled;  // received only
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;
  std::int64_t status = 0;
  std::string reason;
  std::string resolution;  // charged | not_charged | resend; empty: nobody said anything
  std::int64_t created_at = 0;
};

// Reserves `cost` for the next try at a judgment and records the intent. nullopt, and nothing is written, where that
// would pass a cap, which `capped` then names ("day"); and where nobody asks any more (`capped` stays empty): the
// judgment is not pending, its run or round is paused or over, or no active run wants its evaluation. As it is decided
// here, no request begins after a pause is acknowledged. Error(kConflict) when the annotator has no caps.
std::optional<AttemptRowId> reserve_attempt(Writer& writer, JudgmentId judgment, std::int64_t cost,
                                            std::string& capped);

struct AttemptReply {
  std::int64_t status = 200;
  std::optional<std::int64_t> cost;  // nullopt: the reply does not say, so the reservation counts
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;
  std::string raw;       // up to kMostRawBytes
  std::string raw_file;  // where a larger one lies
};
constexpr std::size_t kMostRawBytes = std::size_t{64} * 1024;

// What came all the same of an attempt that failed or was lost: an error's body, the beginning of a reply that broke
// off. Both empty: nothing.
struct AttemptRaw {
  std::string bytes;  // up to kMostRawBytes
  std::string file;   // where more lie, relative to the data folder
};

// intent -> received, failed (certainly not charged) or unknown. Error(kConflict) when it is no intent any more.
// settle_attempt() returns by how much the charge is above the reservation (0: it is not). The ledger follows the
// provider: the rest is reserved late, so that balances hold the whole charge though it passes a cap, and the attempt's
// reason says so.
std::int64_t settle_attempt(Writer& writer, AttemptRowId attempt, const AttemptReply& reply);
void fail_attempt(Writer& writer, AttemptRowId attempt, std::int64_t status, const std::string& reason,
                  const AttemptRaw& raw = {});
void lose_attempt(Writer& writer, AttemptRowId attempt, const std::string& reason, const AttemptRaw& raw = {});

// At start: intents of earlier daemons become unknown. Returns how many.
std::int64_t lose_old_intents(Writer& writer);

// A person's word about an unknown attempt: it was charged, it was not (the reservation is released), or it may be sent
// again though it counts as charged. Error(kNotFound), (kConflict) for one that is not unknown or was resolved.
enum class AttemptResolution { kCharged, kNotCharged, kResend };
void resolve_attempt(Writer& writer, AttemptRowId attempt, AttemptResolution resolution);
// After kNotCharged or kResend: the judgment that was held for its lost answer waits to be asked about again, where its
// round or evaluation still judges. False: it is not held, or its round is past judging.
bool reopen_held_judgment(Writer& writer, AttemptRowId attempt);

std::optional<Attempt> find_attempt(Reader& reader, AttemptRowId id);
std::optional<AttemptRaw> find_attempt_raw(Reader& reader, AttemptRowId id);  // of any state; nullopt: no such attempt

// Newest first, older than `before` (0: from the newest).
std::vector<Attempt> list_attempts(Reader& reader, std::optional<AttemptState> state = {}, std::int64_t limit = -1,
                                   std::int64_t before = 0);
std::vector<Attempt> list_attempts_of(Reader& reader, JudgmentId judgment);  // by number
// Judgments whose last attempt is unknown and unresolved: what a policy has to decide about.
std::set<JudgmentId> list_judgments_with_open_unknown(Reader& reader);

// Replies that were paid for and stored, and that a crash kept from being read: of judgments that are still pending and
// whose last attempt they are.
struct UnreadReply {
  JudgmentId judgment;
  std::int64_t number = 1;  // of the attempt
  AttemptReply reply;       // raw, or raw_file
};
std::vector<UnreadReply> list_unread_replies(Reader& reader, const std::string& annotator);

// Second and later attempts after an unknown one, since `micros`: what a bounded resend policy has used up.
std::int64_t count_resends_since(Reader& reader, const std::string& annotator, std::int64_t micros);

void save_rate_state(Writer& writer, const std::string& annotator, const Json& state);
Json find_rate_state(Reader& reader, const std::string& annotator);  // null: none

}  // namespace cutd
