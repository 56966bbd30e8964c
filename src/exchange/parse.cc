#include <cmath>

#include "core/blanks.h"
#include "core/error.h"
#include "exchange/annotation_tools.h"
#include "exchange/format.h"

namespace cutd {
namespace {

struct Turn {
  std::string role;  // system, user, assistant
  std::string text;
};

std::string text_of(const Json& value, const char* key, const std::string& origin) {
  return json_get<std::string>(value, key, origin);
}

std::string optional_text(const Json& value, const char* key, const std::string& origin) {
  return json_get_or<std::string>(value, key, "", origin);
}

std::string role_of(const std::string& role, const std::string& where) {
  if (role == "user" || role == "human") return "user";
  if (role == "assistant" || role == "gpt") return "assistant";
  if (role == "system") return "system";
  throw Error(ErrorCode::kBadInput, where + ": the role \"" + role + "\" is not one of system, user and assistant");
}

std::vector<Turn> turns_of(const Json& list, const char* key, const char* role, const char* text,
                           const std::string& origin) {
  if (!list.is_array() || list.empty()) throw_json_member(origin, key, "must be a list of turns");
  std::vector<Turn> turns;
  for (const Json& turn : list) {
    const std::string where = origin + ": " + key + "[" + std::to_string(turns.size()) + "]";
    turns.push_back({role_of(text_of(turn, role, where), where), text_of(turn, text, where)});
  }
  return turns;
}

// Turns into the record: system first, then said and answered in turn. An answer at the end is the output.
void take_turns(const std::vector<Turn>& turns, const char* key, DataRecord& record) {
  std::size_t at = 0;
  if (turns.front().role == "system") record.system = turns[at++].text;
  std::vector<std::string> said;
  std::vector<std::string> answered;
  for (; at < turns.size(); ++at) {
    const bool asks = said.size() == answered.size();
    if (turns[at].role != (asks ? "user" : "assistant")) {
      throw Error(ErrorCode::kBadInput, record.origin + ": " + key + "[" + std::to_string(at) +
                                            "]: expected a turn of the " + (asks ? "user" : "assistant") +
                                            ", not of the " + turns[at].role);
    }
    (asks ? said : answered).push_back(turns[at].text);
  }
  if (said.empty()) throw_json_member(record.origin, key, "asks nothing");
  for (std::size_t i = 0; i + 1 < said.size(); ++i) record.history.emplace_back(said[i], answered[i]);
  record.instruction = said.back();
  if (answered.size() == said.size()) record.output = answered.back();
}

// A prompt that is text or a list of messages that ends with what is asked.
void take_prompt(const Json& value, DataRecord& record) {
  if (value.contains("prompt") && value.at("prompt").is_array()) {
    take_turns(turns_of(value.at("prompt"), "prompt", "role", "content", record.origin), "prompt", record);
    if (record.output) throw_json_member(record.origin, "prompt", "must end with a turn of the user");
    return;
  }
  record.instruction = text_of(value, "prompt", record.origin);
}

// An answer that is text or a list of one message of the assistant.
std::string answer_of(const Json& value, const char* key, const std::string& origin) {
  if (!value.contains(key) || !value.at(key).is_array()) return text_of(value, key, origin);
  const std::vector<Turn> turns = turns_of(value.at(key), key, "role", "content", origin);
  if (turns.size() != 1 || turns.front().role != "assistant")
    throw_json_member(origin, key, "must be one turn of the assistant");
  return turns.front().text;
}

void take_instruction(const Json& value, DataRecord& record) {
  record.instruction = text_of(value, "instruction", record.origin);
  record.input = optional_text(value, "input", record.origin);
  record.system = optional_text(value, "system", record.origin);
  if (!value.contains("history") || value.at("history").is_null()) return;
  const Json& history = value.at("history");
  if (!history.is_array()) throw_json_member(record.origin, "history", "must be a list of [said, answered]");
  for (const Json& pair : history) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      throw_json_member(record.origin, "history", "must be a list of [said, answered]");
    record.history.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
}

void take_judgment(const Json& value, DataRecord& record) {
  if (!value.contains("judgment")) throw_json_member(record.origin, "judgment", "is missing (null means satisfactory)");
  record.judged = true;
  if (!value.at("judgment").is_null()) record.judgment = text_of(value, "judgment", record.origin);
  if (value.contains("score") && !value.at("score").is_null()) {
    record.score = json_get<double>(value, "score", record.origin);
    if (!std::isfinite(*record.score)) throw_json_member(record.origin, "score", "must be finite");
  }
}

void take_preference(const Json& value, DataRecord& record) {
  if (value.contains("prompt")) take_prompt(value, record);
  else take_instruction(value, record);  // LLaMA-Factory
  record.output = answer_of(value, "chosen", record.origin);
  record.rejected = answer_of(value, "rejected", record.origin);
}

void take_conversation(const Json& value, DataRecord& record) {
  take_turns(turns_of(value.contains("conversations") ? value.at("conversations") : Json(), "conversations", "from",
                      "value", record.origin),
             "conversations", record);
  const std::string system = optional_text(value, "system", record.origin);
  if (!system.empty() && !record.system.empty())
    throw_json_member(record.origin, "system", "is given, and a system turn as well");
  if (!system.empty()) record.system = system;
}

// What was preferred is the output. A draw, and a reply that nobody could read, prefer nothing.
void take_annotation(const Json& value, DataRecord& record) {
  record.annotation = parse_annotation(value, record.origin);
  const PairAnnotation& pair = *record.annotation;
  record.instruction = pair.instruction;
  const auto share = preference_share(pair.preference);
  if (!share || *share == 0.5) return;
  const bool second = *share > 0.5;
  record.output = second ? pair.output_2 : pair.output_1;
  record.rejected = second ? pair.output_1 : pair.output_2;
  record.generator = second ? pair.generator_2 : pair.generator_1;
}

DataRecord parse_record(DataFormat format, const RawRecord& raw) {
  DataRecord record;
  record.origin = raw.origin;
  const Json& value = raw.value;
  if (value.contains("id")) record.id = value.at("id");
  switch (format) {
    case DataFormat::kInstructions: take_instruction(value, record); break;
    case DataFormat::kAlpaca:
      take_instruction(value, record);
      record.output = text_of(value, "output", raw.origin);
      if (value.contains("kto_tag")) record.label = json_get<bool>(value, "kto_tag", raw.origin);
      break;
    case DataFormat::kTriplets:
      take_instruction(value, record);
      record.output = text_of(value, "output", raw.origin);
      take_judgment(value, record);
      break;
    case DataFormat::kShareGpt: take_conversation(value, record); break;
    case DataFormat::kMessages:
      take_turns(turns_of(value.contains("messages") ? value.at("messages") : Json(), "messages", "role", "content",
                          raw.origin),
                 "messages", record);
      break;
    case DataFormat::kPrompt: take_prompt(value, record); break;
    case DataFormat::kPromptCompletion:
      take_prompt(value, record);
      record.output = answer_of(value, "completion", raw.origin);
      break;
    case DataFormat::kPreference: take_preference(value, record); break;
    case DataFormat::kUnpaired:
      take_prompt(value, record);
      record.output = answer_of(value, "completion", raw.origin);
      record.label = json_get<bool>(value, "label", raw.origin);
      break;
    case DataFormat::kAlpacaEvalOutputs:
      take_instruction(value, record);
      record.output = text_of(value, "output", raw.origin);
      record.generator = optional_text(value, "generator", raw.origin);
      break;
    case DataFormat::kAlpacaEvalAnnotations: take_annotation(value, record); break;
    case DataFormat::kArgilla:
    case DataFormat::kLabelStudio: throw Error(ErrorCode::kInternal, "a task is not one record");
  }
  return record;
}

}  // namespace

std::vector<DataRecord> parse_records(DataFormat format, const std::vector<RawRecord>& records) {
  std::vector<DataRecord> result;
  result.reserve(records.size());
  for (const RawRecord& raw : records) {
    if (format == DataFormat::kArgilla) parse_argilla(raw, result);
    else if (format == DataFormat::kLabelStudio) parse_label_studio(raw, result);
    else result.push_back(parse_record(format, raw));
    if (is_blank(result.back().prompt())) throw Error(ErrorCode::kBadInput, raw.origin + ": the instruction is empty");
  }
  return result;
}

}  // namespace cutd
