// Attempts and money as JSON. Amounts are micro-dollars.
#pragma once

#include "core/json.h"
#include "store/attempts.h"

namespace cutd {

Json attempt_view(const Attempt& attempt);

// {"balances": [{annotator, scope, cap, spent, reserved}], "entries": [...], "next": cursor or null}
Json ledger_view(Reader& reader, RunId run, std::int64_t before, std::int64_t limit);

// {"annotator", "request", "round", "day", "total"}; null where it has no caps.
Json caps_view(Reader& reader, const std::string& annotator);

}  // namespace cutd
