// Tasks and annotations as Argilla and Label Studio hold them, with the names that this project gives their fields and
// questions (docs/annotation.md): the fields "instruction", "input" and "response", the questions "label" (positive or
// negative) and "judgment" (text).
//
//   argilla        {id, fields{}, metadata{}, suggestions[], responses[{user_id, status, values{}}], status}
//   label-studio   {id, data{}, predictions[], annotations[{result[{from_name, to_name, type, value}], completed_by,
//                   was_cancelled, lead_time}]}
//
// Pure. As training data one task has one record for each submitted answer, and one without a judgment where there is
// none; drafts and skipped ones say nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "core/json.h"
#include "exchange/container.h"
#include "exchange/record.h"

namespace cutd {

// --- the shapes alone

// {"label": {"value"}, "judgment": {"value"}}, either left out where there is none.
Json argilla_values(const std::optional<JudgmentLabel>& label, const std::string& text);

// The answer to `question`: {"question": {"value": x}}, or x as flat exports have it; null where there is none.
Json argilla_value(const Json& values, const char* question);

// The choice and the text area as a `result` list.
Json label_studio_result(const std::optional<JudgmentLabel>& label, const std::string& text);

// The first thing that the control `name` was given: its `member` is "choices" or "text". Null where there is none.
Json label_studio_value(const Json& result, const char* name, const char* member);

// --- as training data

// Error(kBadInput) naming record and key. A negative label wants a judgment that says what is wrong.
void parse_argilla(const RawRecord& raw, std::vector<DataRecord>& records);
void parse_label_studio(const RawRecord& raw, std::vector<DataRecord>& records);

// A judged record is an answer of the person "cutd"; others wait to be judged.
Json argilla_json(const DataRecord& record);
Json label_studio_json(const DataRecord& record);

}  // namespace cutd
