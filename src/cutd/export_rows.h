// From the store's lineage to records and JSON. Pure.
#pragma once

#include <vector>

#include "exchange/record.h"
#include "store/lineage.h"

namespace cutd {

// Validated judgments as examples with a judgment: null for a satisfactory response. Failures and open ones are left
// out.
std::vector<DataRecord> judged_records(const std::vector<LineageRow>& rows);

// Every satisfactory response to an instruction against every criticised one to the same, where the texts differ.
std::vector<DataRecord> preference_records(const std::vector<LineageRow>& rows);

// Each row with annotator, prompt version, manifest and adapters: who said what, and what it trained.
std::vector<Json> lineage_json(const std::vector<LineageRow>& rows);

}  // namespace cutd
