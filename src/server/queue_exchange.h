// Tasks and annotations in the shapes of Argilla and Label Studio, so that teams can move in and out. Pure: values in,
// JSON out, and back. What a person is called is a pseudonym ("user 7"), never a name or address. The shapes:
// exchange/annotation_tools.h.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "store/queue_work.h"

namespace cutd {

// Error(kBadInput) for a format that is none of the two.
void require_exchange_format(const std::string& format);

Json export_tasks(const std::vector<QueueTask>& tasks, const std::string& format);

// The settled and skipped work of `records`, in their order; drafts are not work yet. Our items are found by
// `metadata.cutd_item` or `id` (Argilla), `data.cutd_item` (Label Studio). Records of other people are named
// "argilla USER" and "label-studio USER". Throws Error(kBadInput) naming the record and what is wrong with it, as a
// judgment that checked_judgment_text() refuses.
std::vector<ImportedWork> import_records(const Json& records, const std::string& format);

}  // namespace cutd
