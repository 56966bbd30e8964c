// Attempts and money as JSON. Amounts are micro-dollars.
#pragma once

#include "core/json.h"
#include "store/attempts.h"

namespace cutd {

Json attempt_view(const Attempt& attempt);

// {"run": {spent, reserved}, "rounds": [{round, number, spent, reserved}], "balances": [{annotator, scope, cap, spent,
// reserved, open}], "entries": [...], "next": cursor or null}. Without `run` the first is null, the second empty. Each
// payment is in three balances: its round's or evaluation's, its day's and the total. `now`: wall-clock microseconds.
Json ledger_view(Reader& reader, RunId run, std::int64_t before, std::int64_t limit, std::int64_t now);

// {"annotator", "request", "round", "day", "total"}; null where it has no caps.
Json caps_view(Reader& reader, const std::string& annotator);

}  // namespace cutd
