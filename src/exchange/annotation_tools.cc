#include "exchange/annotation_tools.h"

#include <initializer_list>

#include "core/blanks.h"
#include "core/error.h"

namespace cutd {
namespace {

constexpr const char* kPerson = "cutd";

// The text of the first of `names` that `fields` has; nullopt where it has none of them.
std::optional<std::string> field(const Json& fields, std::initializer_list<const char*> names,
                                 const std::string& where) {
  for (const char* name : names)
    if (fields.contains(name) && !fields.at(name).is_null()) return json_get<std::string>(fields, name, where);
  return std::nullopt;
}

// What is judged: `fields` is Argilla's "fields", Label Studio's "data".
DataRecord task_of(const RawRecord& raw, const char* place) {
  const Json fields = json_get<Json>(raw.value, place, raw.origin);
  if (!fields.is_object()) throw_json_member(raw.origin, place, "must be an object");
  const std::string where = raw.origin + ": " + place;
  DataRecord record;
  record.origin = raw.origin;
  record.id = raw.value.value("id", Json());
  const auto instruction = field(fields, {"instruction", "prompt"}, where);
  if (!instruction) throw_json_member(where, "instruction", "is missing (\"prompt\" is read as well)");
  record.instruction = *instruction;
  record.input = field(fields, {"input"}, where).value_or("");
  record.output = field(fields, {"response", "output", "completion"}, where);
  return record;
}

void take_answer(const DataRecord& task, const Json& label, const Json& text, const std::string& where,
                 std::vector<DataRecord>& records) {
  if (!task.output) throw_json_member(task.origin, "response", "is missing, but it was judged");
  if (!label.is_string()) throw Error(ErrorCode::kBadInput, where + ": no answer to the question \"label\"");
  DataRecord record = task;
  record.judged = true;
  JudgmentLabel judged = JudgmentLabel::kPositive;
  try {
    judged = from_name<JudgmentLabel>(label.get<std::string>());
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadInput, where + ": " + error.what());
  }
  if (judged == JudgmentLabel::kNegative) {
    record.judgment = text.is_string() ? text.get<std::string>() : std::string();
    if (is_blank(*record.judgment))
      throw Error(ErrorCode::kBadInput, where + ": a negative label without a judgment that says what is wrong");
  }
  records.push_back(std::move(record));
}

Json list_of(const RawRecord& raw, const char* key) {
  Json list = json_get_or<Json>(raw.value, key, Json::array(), raw.origin);
  if (!list.is_array()) throw_json_member(raw.origin, key, "must be a list");
  return list;
}

std::string place_in(const RawRecord& raw, const char* key, std::size_t index) {
  return raw.origin + ": " + key + "[" + std::to_string(index) + "]";
}

std::optional<JudgmentLabel> label_of(const DataRecord& record) {
  if (record.judged) return record.judgment ? JudgmentLabel::kNegative : JudgmentLabel::kPositive;
  if (record.label && *record.label) return JudgmentLabel::kPositive;
  return std::nullopt;  // an unwanted output without a reason waits for one
}

Json fields_json(const DataRecord& record) {
  if (!record.history.empty() || !record.system.empty())
    throw Error(ErrorCode::kBadInput, record.origin + ": has a system text or earlier turns, which a task cannot say");
  if (!record.output)
    throw Error(ErrorCode::kBadInput, record.origin + ": cannot be written as a task: it has no output");
  return {{"instruction", record.instruction}, {"input", record.input}, {"response", *record.output}};
}

}  // namespace

Json argilla_values(const std::optional<JudgmentLabel>& label, const std::string& text) {
  Json values = Json::object();
  if (label) values["label"] = {{"value", name_of(*label)}};
  if (!text.empty()) values["judgment"] = {{"value", text}};
  return values;
}

Json argilla_value(const Json& values, const char* question) {
  const auto found = values.find(question);
  if (found == values.end()) return nullptr;
  return found->is_object() && found->contains("value") ? found->at("value") : *found;
}

Json label_studio_result(const std::optional<JudgmentLabel>& label, const std::string& text) {
  Json result = Json::array();
  if (label) {
    result.push_back({{"from_name", "label"},
                      {"to_name", "response"},
                      {"type", "choices"},
                      {"value", {{"choices", Json::array({name_of(*label)})}}}});
  }
  if (!text.empty()) {
    result.push_back({{"from_name", "judgment"},
                      {"to_name", "response"},
                      {"type", "textarea"},
                      {"value", {{"text", Json::array({text})}}}});
  }
  return result;
}

Json label_studio_value(const Json& result, const char* name, const char* member) {
  if (!result.is_array()) return nullptr;
  for (const Json& one : result) {
    if (!one.is_object() || one.value("from_name", Json()) != name) continue;
    const Json value = one.value("value", Json());
    if (!value.is_object()) continue;
    const Json list = value.value(member, Json());
    if (list.is_array() && !list.empty()) return list.front();
    if (list.is_string()) return list;
  }
  return nullptr;
}

void parse_argilla(const RawRecord& raw, std::vector<DataRecord>& records) {
  const DataRecord task = task_of(raw, "fields");
  const Json responses = list_of(raw, "responses");
  const std::size_t before = records.size();
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const std::string where = place_in(raw, "responses", i);
    if (json_get<std::string>(responses[i], "status", where) != "submitted") continue;
    const Json values = json_get<Json>(responses[i], "values", where);
    if (!values.is_object()) throw_json_member(where, "values", "must be an object");
    take_answer(task, argilla_value(values, "label"), argilla_value(values, "judgment"), where, records);
  }
  if (records.size() == before) records.push_back(task);
}

void parse_label_studio(const RawRecord& raw, std::vector<DataRecord>& records) {
  const DataRecord task = task_of(raw, "data");
  const Json annotations = list_of(raw, "annotations");
  const std::size_t before = records.size();
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    const std::string where = place_in(raw, "annotations", i);
    if (json_get_or<bool>(annotations[i], "was_cancelled", false, where)) continue;
    const Json result = json_get<Json>(annotations[i], "result", where);
    take_answer(task, label_studio_value(result, "label", "choices"), label_studio_value(result, "judgment", "text"),
                where, records);
  }
  if (records.size() == before) records.push_back(task);
}

Json argilla_json(const DataRecord& record) {
  const auto label = label_of(record);
  Json responses = Json::array();
  if (label) {
    responses.push_back({{"user_id", kPerson},
                         {"status", "submitted"},
                         {"values", argilla_values(label, record.judgment.value_or(""))}});
  }
  Json value = Json::object();
  if (!record.id.is_null()) value["id"] = record.id;
  value["fields"] = fields_json(record);
  value["metadata"] = Json::object();
  value["suggestions"] = Json::array();
  value["responses"] = std::move(responses);
  value["status"] = label ? "completed" : "pending";
  return value;
}

Json label_studio_json(const DataRecord& record) {
  const auto label = label_of(record);
  Json annotations = Json::array();
  if (label) {
    annotations.push_back({{"result", label_studio_result(label, record.judgment.value_or(""))},
                           {"completed_by", kPerson},
                           {"was_cancelled", false},
                           {"lead_time", nullptr}});
  }
  Json value = Json::object();
  if (!record.id.is_null()) value["id"] = record.id;
  value["data"] = fields_json(record);
  value["predictions"] = Json::array();
  value["annotations"] = std::move(annotations);
  return value;
}

}  // namespace cutd
