#include "server/queue_exchange.h"

#include <fmt/format.h>

#include "core/error.h"
#include "exchange/annotation_tools.h"
#include "round/people.h"

namespace cutd {
namespace {

Json label_json(const std::optional<JudgmentLabel>& label) { return label ? Json(name_of(*label)) : Json(); }

// "user 7" of our own accounts and "argilla 3f" of an import, as the other tool's user; and back.
// Of an object only its id: names and addresses stay where they are.
std::string person_of(const Json& user, const std::string& format) {
  if (user.is_object()) return person_of(user.value("id", Json()), format);
  const std::string text = user.is_string() ? user.get<std::string>() : to_json_text(user);
  return text.starts_with("user ") || text.starts_with("argilla ") || text.starts_with("label-studio ")
             ? text
             : format + " " + text;
}

// --- Argilla

Json argilla_response(const TaskWork& work) {
  const bool skipped = work.state == "skipped";
  Json response{{"user_id", work.person},
                {"status", skipped          ? "discarded"
                           : work.submitted ? "submitted"
                                            : "draft"},
                {"values", argilla_values(work.label, work.text)}};
  if (work.state == "surplus") response["counted"] = false;
  if (skipped) response["skip_reason"] = work.skip_reason;
  return response;
}

Json argilla_record(const QueueTask& task) {
  Json suggestions = Json::array();
  if (task.suggestion) {
    suggestions.push_back({{"question_name", "label"},
                           {"value", label_json(task.suggestion->label)},
                           {"agent", task.suggestion->source},
                           {"type", "model"}});
    suggestions.push_back({{"question_name", "judgment"},
                           {"value", task.suggestion->text},
                           {"agent", task.suggestion->source},
                           {"type", "model"}});
  }
  Json responses = Json::array();
  for (const TaskWork& work : task.work)
    if (work.submitted || work.state == "skipped" || !work.text.empty()) responses.push_back(argilla_response(work));
  return {{"id", task.item},
          {"fields", {{"instruction", task.instruction}, {"input", task.input}, {"response", task.response_text}}},
          {"metadata", {{"cutd_item", task.item}, {"cutd_round", task.round.value}, {"need", task.need}}},
          {"suggestions", std::move(suggestions)},
          {"responses", std::move(responses)},
          {"status", task.state == "settled" ? "completed" : "pending"}};
}

std::string item_of(const Json& record, const char* place, const std::string& fallback) {
  const auto found = record.find(place);
  if (found != record.end() && found->is_object() && found->contains("cutd_item")) {
    const Json& item = found->at("cutd_item");
    if (item.is_string()) return item.get<std::string>();
  }
  return fallback;
}

std::string text_or_empty(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

Submission checked(const Json& label, const Json& text, const std::string& origin) {
  if (!label.is_string()) throw Error(ErrorCode::kBadInput, origin + ": no answer to the question \"label\"");
  Submission submission;
  try {
    submission.label = from_name<JudgmentLabel>(label.get<std::string>());
    submission.text = checked_judgment_text(submission.label == JudgmentLabel::kPositive, text_or_empty(text));
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadInput, origin + ": " + error.what());
  }
  return submission;
}

void import_argilla(const Json& record, const std::string& origin, std::vector<ImportedWork>& work) {
  const std::string item = item_of(record, "metadata", text_or_empty(record.value("id", Json())));
  const Json responses = json_get_or<Json>(record, "responses", Json::array(), origin);
  if (!responses.is_array()) throw Error(ErrorCode::kBadInput, origin + ": \"responses\" is no list");
  for (const Json& response : responses) {
    const std::string status = json_get<std::string>(response, "status", origin);
    if (status != "submitted" && status != "discarded") continue;
    ImportedWork one{
        item, person_of(json_get<Json>(response, "user_id", origin), "argilla"), status == "discarded", {}};
    if (one.skipped) {
      one.submission.text = json_get_or<std::string>(response, "skip_reason", "discarded in Argilla", origin);
    } else {
      const Json values = json_get<Json>(response, "values", origin);
      one.submission = checked(argilla_value(values, "label"), argilla_value(values, "judgment"), origin);
    }
    work.push_back(std::move(one));
  }
}

// --- Label Studio

Json label_studio_task(const QueueTask& task) {
  Json annotations = Json::array();
  for (const TaskWork& work : task.work) {
    if (!work.submitted && work.state != "skipped") continue;
    Json annotation{{"result", label_studio_result(work.label, work.text)},
                    {"completed_by", work.person},
                    {"was_cancelled", work.state == "skipped"},
                    {"lead_time", work.seconds_spent ? Json(*work.seconds_spent) : Json()},
                    {"created_at", format_utc(work.at)}};
    if (work.state == "surplus") annotation["counted"] = false;
    if (work.state == "skipped") annotation["skip_reason"] = work.skip_reason;
    annotations.push_back(std::move(annotation));
  }
  Json predictions = Json::array();
  if (task.suggestion) {
    predictions.push_back({{"model_version", task.suggestion->source},
                           {"result", label_studio_result(task.suggestion->label, task.suggestion->text)}});
  }
  return {{"id", task.id.value},
          {"data",
           {{"cutd_item", task.item},
            {"cutd_round", task.round.value},
            {"instruction", task.instruction},
            {"input", task.input},
            {"response", task.response_text}}},
          {"predictions", std::move(predictions)},
          {"annotations", std::move(annotations)}};
}

void import_label_studio(const Json& record, const std::string& origin, std::vector<ImportedWork>& work) {
  const std::string item = item_of(record, "data", "");
  const Json annotations = json_get_or<Json>(record, "annotations", Json::array(), origin);
  if (!annotations.is_array()) throw Error(ErrorCode::kBadInput, origin + ": \"annotations\" is no list");
  for (const Json& annotation : annotations) {
    const bool skipped = json_get_or<bool>(annotation, "was_cancelled", false, origin);
    ImportedWork one{item, person_of(json_get<Json>(annotation, "completed_by", origin), "label-studio"), skipped, {}};
    if (skipped) {
      one.submission.text = json_get_or<std::string>(annotation, "skip_reason", "cancelled in Label Studio", origin);
    } else {
      const Json result = json_get<Json>(annotation, "result", origin);
      one.submission = checked(label_studio_value(result, "label", "choices"),
                               label_studio_value(result, "judgment", "text"), origin);
      const Json lead = annotation.value("lead_time", Json());
      if (lead.is_number() && lead.get<double>() >= 0) one.submission.seconds_spent = lead.get<double>();
    }
    work.push_back(std::move(one));
  }
}

}  // namespace

void require_exchange_format(const std::string& format) {
  if (format != "argilla" && format != "label-studio")
    throw Error(ErrorCode::kBadInput, "\"format\" is argilla or label-studio, not \"" + format + "\"");
}

Json export_tasks(const std::vector<QueueTask>& tasks, const std::string& format) {
  require_exchange_format(format);
  Json list = Json::array();
  for (const QueueTask& task : tasks)
    list.push_back(format == "argilla" ? argilla_record(task) : label_studio_task(task));
  return list;
}

std::vector<ImportedWork> import_records(const Json& records, const std::string& format) {
  require_exchange_format(format);
  if (!records.is_array()) throw Error(ErrorCode::kBadInput, "\"records\" is no list");
  std::vector<ImportedWork> work;
  std::size_t number = 0;
  for (const Json& record : records) {
    const std::string origin = fmt::format("record {}", ++number);
    if (!record.is_object()) throw Error(ErrorCode::kBadInput, origin + " is no object");
    try {
      if (format == "argilla") import_argilla(record, origin, work);
      else import_label_studio(record, origin, work);
    } catch (const nlohmann::json::exception& error) {  // another tool's shape, not this one's
      throw Error(ErrorCode::kBadInput, origin + ": " + error.what());
    }
  }
  return work;
}

}  // namespace cutd
