// The record formats that users bring and take away (docs/data-formats.md). Reading is strict about what a format says
// and lets other keys pass; errors name file, record and key.
//
//   const std::vector<RawRecord> raw = read_records("data.jsonl.gz");
//   const DataFormat format = detect_format(raw);
//   write_records("out.json", format_records(DataFormat::kMessages, parse_records(format, raw)));
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "exchange/container.h"
#include "exchange/record.h"

namespace cutd {

enum class DataFormat {
  kInstructions,           // {"instruction", "input"?}
  kAlpaca,                 // {"instruction", "input"?, "output", "system"?, "history"?: [[said, answered]]}
  kTriplets,               // {"id"?, "instruction", "input"?, "output", "judgment": null or text, "score"?}
  kShareGpt,               // {"conversations": [{"from": human or gpt, "value"}], "system"?}
  kMessages,               // {"messages": [{"role", "content"}]}
  kPrompt,                 // TRL: {"prompt"}
  kPromptCompletion,       // TRL: {"prompt", "completion"}
  kPreference,             // TRL: {"prompt", "chosen", "rejected"}
  kUnpaired,               // TRL: {"prompt", "completion", "label"}
  kAlpacaEvalOutputs,      // {"instruction", "output", "generator"}
  kAlpacaEvalAnnotations,  // {"instruction", "output_1", "generator_1", "output_2", "generator_2", "annotator",
                           //  "preference"}: a preference; without one where it is a draw or null
  kArgilla,                // exchange/annotation_tools.h
  kLabelStudio,            // exchange/annotation_tools.h
};

// "triplets", "prompt-completion", …; the order of the enumeration.
const char* format_name(DataFormat format);
std::vector<std::string> format_names();
DataFormat format_of(const std::string& name);  // Error(kUsage) naming them all

// By the keys of the first record. Error(kBadInput) naming it and its keys when no format fits.
DataFormat detect_format(const std::vector<RawRecord>& records);

// TRL's texts may be message lists. Conversations must alternate and begin with what is asked; turns of tools are
// refused. One task of Argilla or Label Studio can be several records.
std::vector<DataRecord> parse_records(DataFormat format, const std::vector<RawRecord>& records);

// Error(kBadInput) naming the record that lacks what the format must say: a label is never made up. TRL's formats have
// message lists throughout as soon as one record has a system text or a history.
std::vector<Json> format_records(DataFormat format, const std::vector<DataRecord>& records);

// Whether format_records() would take this record.
bool can_write(DataFormat format, const DataRecord& record);

}  // namespace cutd
