#include <algorithm>

#include "core/error.h"
#include "exchange/annotation_tools.h"
#include "exchange/format.h"

namespace cutd {
namespace {

[[noreturn]] void lacks(const DataRecord& record, DataFormat format, const std::string& what) {
  throw Error(ErrorCode::kBadInput,
              record.origin + ": cannot be written as " + format_name(format) + ": it has no " + what);
}

const std::string& output_of(const DataRecord& record, DataFormat format) {
  if (!record.output) lacks(record, format, "output");
  return *record.output;
}

void refuse_turns(const DataRecord& record, DataFormat format) {
  if (!record.history.empty() || !record.system.empty()) {
    throw Error(ErrorCode::kBadInput,
                record.origin + ": has a system text or earlier turns, which " + format_name(format) + " cannot say");
  }
}

Json instruction_json(const DataRecord& record) {
  Json value = Json::object();
  if (!record.id.is_null()) value["id"] = record.id;
  value["instruction"] = record.instruction;
  value["input"] = record.input;
  return value;
}

// System, earlier turns and what is asked, as a list of {role_key, text_key}.
Json turns_json(const DataRecord& record, const char* role_key, const char* text_key, const char* user,
                const char* assistant) {
  Json turns = Json::array();
  if (!record.system.empty()) turns.push_back({{role_key, "system"}, {text_key, record.system}});
  for (const auto& [said, answered] : record.history) {
    turns.push_back({{role_key, user}, {text_key, said}});
    turns.push_back({{role_key, assistant}, {text_key, answered}});
  }
  turns.push_back({{role_key, user}, {text_key, record.prompt()}});
  return turns;
}

Json conversation_json(const DataRecord& record, const char* key, const char* role_key, const char* text_key,
                       const char* user, const char* assistant) {
  Json turns = turns_json(record, role_key, text_key, user, assistant);
  if (record.output) turns.push_back({{role_key, assistant}, {text_key, *record.output}});
  Json value = Json::object();
  if (!record.id.is_null()) value["id"] = record.id;
  value[key] = turns;
  return value;
}

Json trl_prompt(const DataRecord& record, bool as_messages) {
  return as_messages ? turns_json(record, "role", "content", "user", "assistant") : Json(record.prompt());
}

Json trl_answer(const std::string& text, bool as_messages) {
  if (!as_messages) return text;
  return Json::array({{{"role", "assistant"}, {"content", text}}});
}

Json triplet_json(const DataRecord& record) {
  constexpr DataFormat kFormat = DataFormat::kTriplets;
  refuse_turns(record, kFormat);
  Json value = instruction_json(record);
  value["output"] = output_of(record, kFormat);
  if (record.judged) {
    value["judgment"] = record.judgment ? Json(*record.judgment) : Json();
  } else {
    if (!record.label) lacks(record, kFormat, "judgment");
    if (!*record.label) lacks(record, kFormat, "judgment that says what is wrong with the unwanted output");
    value["judgment"] = nullptr;
  }
  if (record.score) value["score"] = *record.score;
  return value;
}

Json alpaca_json(const DataRecord& record) {
  Json value = instruction_json(record);
  value["output"] = output_of(record, DataFormat::kAlpaca);
  if (!record.system.empty()) value["system"] = record.system;
  for (const auto& [said, answered] : record.history) value["history"].push_back(Json::array({said, answered}));
  if (record.label) value["kto_tag"] = *record.label;
  return value;
}

bool wanted(const DataRecord& record, DataFormat format) {
  if (record.label) return *record.label;
  if (!record.judged) lacks(record, format, "label");
  return !record.judgment.has_value();
}

// An annotation as it was read; else a preference whose chosen output is the model's.
Json pair_json(const DataRecord& record) {
  constexpr DataFormat kFormat = DataFormat::kAlpacaEvalAnnotations;
  if (record.annotation) return annotation_json(*record.annotation);
  refuse_turns(record, kFormat);
  if (!record.rejected) lacks(record, kFormat, "rejected output");
  return annotation_json({record.prompt(), *record.rejected, output_of(record, kFormat), "rejected",
                          record.generator.empty() ? "chosen" : record.generator, "cutd", 2.0, Json::object()});
}

Json record_json(DataFormat format, const DataRecord& record, bool as_messages) {
  switch (format) {
    case DataFormat::kInstructions: refuse_turns(record, format); return instruction_json(record);
    case DataFormat::kAlpaca: return alpaca_json(record);
    case DataFormat::kTriplets: return triplet_json(record);
    case DataFormat::kShareGpt: return conversation_json(record, "conversations", "from", "value", "human", "gpt");
    case DataFormat::kMessages: return conversation_json(record, "messages", "role", "content", "user", "assistant");
    case DataFormat::kPrompt: return {{"prompt", trl_prompt(record, as_messages)}};
    case DataFormat::kPromptCompletion:
      return {{"prompt", trl_prompt(record, as_messages)},
              {"completion", trl_answer(output_of(record, format), as_messages)}};
    case DataFormat::kPreference:
      if (!record.rejected) lacks(record, format, "rejected output");
      return {{"prompt", trl_prompt(record, as_messages)},
              {"chosen", trl_answer(output_of(record, format), as_messages)},
              {"rejected", trl_answer(*record.rejected, as_messages)}};
    case DataFormat::kUnpaired:
      return {{"prompt", trl_prompt(record, as_messages)},
              {"completion", trl_answer(output_of(record, format), as_messages)},
              {"label", wanted(record, format)}};
    case DataFormat::kAlpacaEvalOutputs:
      refuse_turns(record, format);
      return {{"instruction", record.prompt()}, {"output", output_of(record, format)}, {"generator", record.generator}};
    case DataFormat::kAlpacaEvalAnnotations: return pair_json(record);
    case DataFormat::kArgilla: return argilla_json(record);
    case DataFormat::kLabelStudio: return label_studio_json(record);
  }
  throw Error(ErrorCode::kInternal, "unknown format");
}

}  // namespace

std::vector<Json> format_records(DataFormat format, const std::vector<DataRecord>& records) {
  const bool as_messages = std::any_of(records.begin(), records.end(), [](const DataRecord& record) {
    return !record.system.empty() || !record.history.empty();
  });
  std::vector<Json> values;
  values.reserve(records.size());
  for (const DataRecord& record : records) values.push_back(record_json(format, record, as_messages));
  return values;
}

bool can_write(DataFormat format, const DataRecord& record) {
  try {
    record_json(format, record, false);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    return false;
  }
}

}  // namespace cutd
