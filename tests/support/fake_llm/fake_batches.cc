#include "support/fake_llm/fake_batches.h"

#include <algorithm>
#include <sstream>

#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"
#include "support/fake_llm/fake_api.h"

namespace cutd {
namespace {

FakeReply json_reply(const Json& body, int status = 200) {
  FakeReply reply;
  reply.status = status;
  reply.body = to_json_text(body);
  reply.charged = false;
  return reply;
}

FakeReply lines_reply(const std::string& lines) {
  FakeReply reply;
  reply.content_type = "application/octet-stream";
  reply.body = lines;
  reply.charged = false;
  return reply;
}

FakeReply refusal(const FakeRequest& request, int status, const std::string& message) {
  const bool anthropic = request.path.find("/messages/") != std::string::npos;
  const std::string type = status == 404 && anthropic ? "not_found_error" : "invalid_request_error";
  return json_reply(
      anthropic ? fake_anthropic_error(message, type, fake_request_id(request)) : fake_openai_error(message, type, ""),
      status);
}

std::string without_query(const std::string& path) { return path.substr(0, path.find('?')); }

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t start = text.find(before);
  if (start == std::string::npos) throw Error(ErrorCode::kBadInput, "the upload has no \"" + before + "\"");
  const std::size_t from = start + before.size();
  return text.substr(from, text.find(after, from) - from);
}

// The part called so of a multipart form: its header lines, an empty one, its content.
std::string form_part(const FakeRequest& request, const std::string& name) {
  const auto type = request.headers.find("content-type");
  if (type == request.headers.end()) throw Error(ErrorCode::kBadInput, "the upload has no Content-Type");
  std::string boundary = type->second.substr(type->second.find("boundary=") + std::string("boundary=").size());
  if (boundary.starts_with("\"")) boundary = boundary.substr(1, boundary.size() - 2);
  return between(request.body, " name=\"" + name + "\"", "\r\n--" + boundary);
}

std::string content_of(const std::string& part) {
  const std::string end_of_head = "\r\n\r\n";
  const std::size_t at = part.find(end_of_head);
  if (at == std::string::npos) throw Error(ErrorCode::kBadInput, "a part of the upload has no content");
  return part.substr(at + end_of_head.size());
}

std::int64_t unix_seconds(std::int64_t micros) { return micros / 1'000'000; }

Json file_view(const std::string& id, const std::string& name, std::size_t bytes) {
  return {{"id", id},
          {"object", "file"},
          {"purpose", "batch"},
          {"filename", name},
          {"bytes", bytes},
          {"created_at", unix_seconds(SystemClock().wall_micros())},
          {"status", "processed"}};
}

constexpr std::int64_t kDayMicros = 86'400'000'000;

}  // namespace

std::optional<FakeReply> FakeBatches::answer(const FakeRequest& request) {
  const std::string path = without_query(request.path);
  const bool anthropic = path.find("/messages/batches") != std::string::npos;
  const std::size_t at = path.find("/batches");
  if (path.ends_with("/v1/files")) return upload(request);
  if (path.find("/files/") != std::string::npos) return about_files(request, path);
  if (at == std::string::npos) return std::nullopt;
  const std::string rest = path.substr(at + std::string("/batches").size());
  if (rest.empty()) return request.method == "POST" ? create(request, anthropic) : list(anthropic);
  const std::string results_end = "/results";
  if (rest.ends_with(results_end))
    return results(request, rest.substr(1, rest.size() - 1 - results_end.size()), true, true);
  return get(request, rest.substr(1));
}

// What was uploaded, and of each batch file-out-ID and file-err-ID.
FakeReply FakeBatches::about_files(const FakeRequest& request, const std::string& path) {
  const std::string id = between(path, "/files/", "/");
  const bool content = path.ends_with("/content");
  for (const auto& [prefix, run] :
       {std::pair{std::string("file-out-"), true}, std::pair{std::string("file-err-"), false}}) {
    if (content && id.starts_with(prefix)) return results(request, id.substr(prefix.size()), run, !run);
  }
  const auto file = files_.find(id);
  if (file == files_.end()) return refusal(request, 404, "No such File object: " + id);
  if (content) return lines_reply(file->second.content);
  return json_reply(file_view(id, file->second.name, file->second.content.size()));
}

FakeReply FakeBatches::upload(const FakeRequest& request) {
  if (content_of(form_part(request, "purpose")) != "batch") return refusal(request, 400, "purpose must be batch");
  const std::string part = form_part(request, "file");
  const std::string id = "file-in-" + std::to_string(files_.size() + 1);
  files_[id] = {between(part, "filename=\"", "\""), content_of(part)};
  return json_reply(file_view(id, files_[id].name, files_[id].content.size()));
}

FakeReply FakeBatches::create(const FakeRequest& request, bool anthropic) {
  const Json body = parse_json(request.body, "request");
  One batch;
  batch.anthropic = anthropic;
  batch.id = (anthropic ? "msgbatch_" : "batch_") + std::to_string(batches_.size() + 1);
  batch.created_at = SystemClock().wall_micros();
  if (anthropic) {
    for (const Json& item : body.at("requests")) batch.items.push_back({item.at("custom_id"), item.at("params")});
    const auto host = request.headers.find("host");
    const std::string here = host == request.headers.end() ? "" : "http://" + host->second;
    batch.results_url =
        (options_.results_url.empty() ? here : options_.results_url) + "/v1/messages/batches/" + batch.id + "/results";
  } else {
    batch.metadata = body.value("metadata", Json());
    batch.input_file = body.at("input_file_id").get<std::string>();
    const auto file = files_.find(batch.input_file);
    if (file == files_.end() || body.value("completion_window", "") != "24h")
      return refusal(request, 404, "no such input file, or another completion_window than 24h");
    std::istringstream lines(file->second.content);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) continue;
      const Json item = parse_json(line, "line");
      batch.items.push_back({item.at("custom_id"), item.at("body")});
    }
  }
  batches_.push_back(std::move(batch));
  FakeReply reply = json_reply(view(batches_.back()));
  const One& made = batches_.back();
  for (std::size_t i = 0; i < made.items.size(); ++i) {
    if (!expired(i)) reply.charged_items.push_back(sha256_hex(made.items[i].params.dump()).substr(0, 16));
  }
  return reply;
}

FakeReply FakeBatches::list(bool anthropic) {
  for (One& batch : batches_) ++batch.asked;
  Json data = Json::array();
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
    if (batch->anthropic == anthropic) data.push_back(view(*batch));
  }
  const auto id = [&](const Json* one) { return one == nullptr ? Json() : one->at("id"); };
  const Json first = id(data.empty() ? nullptr : &data.front());
  const Json last = id(data.empty() ? nullptr : &data.back());
  Json page = {{"data", data}, {"has_more", false}, {"first_id", first}, {"last_id", last}};
  if (!anthropic) page["object"] = "list";
  return json_reply(page);
}

FakeReply FakeBatches::get(const FakeRequest& request, const std::string& id) {
  for (One& batch : batches_) {
    if (batch.id != id) continue;
    ++batch.asked;
    return json_reply(view(batch));
  }
  return refusal(request, 404, "no such batch: " + id);
}

const FakeBatches::One* FakeBatches::find(const std::string& id) const {
  const auto found = std::find_if(batches_.begin(), batches_.end(), [&](const One& batch) { return batch.id == id; });
  return found == batches_.end() ? nullptr : &*found;
}

std::int64_t FakeBatches::count_expired(const One& batch) const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < batch.items.size(); ++i) count += expired(i) ? 1 : 0;
  return count;
}

Json FakeBatches::view(const One& batch) const { return batch.anthropic ? anthropic_view(batch) : openai_view(batch); }

Json FakeBatches::anthropic_view(const One& batch) const {
  const auto count = static_cast<std::int64_t>(batch.items.size());
  const std::int64_t not_run = count_expired(batch);
  const bool over = ended(batch);
  return {{"id", batch.id},
          {"type", "message_batch"},
          {"processing_status", over ? "ended" : "in_progress"},
          {"request_counts",
           {{"processing", over ? 0 : count},
            {"succeeded", over ? count - not_run : 0},
            {"errored", 0},
            {"canceled", 0},
            {"expired", over ? not_run : 0}}},
          {"created_at", format_utc(batch.created_at)},
          {"expires_at", format_utc(batch.created_at + kDayMicros)},
          {"ended_at", over ? Json(format_utc(SystemClock().wall_micros())) : Json()},
          {"archived_at", nullptr},
          {"cancel_initiated_at", nullptr},
          {"results_url", over ? Json(batch.results_url) : Json()}};
}

Json FakeBatches::openai_view(const One& batch) const {
  const auto count = static_cast<std::int64_t>(batch.items.size());
  const std::int64_t not_run = count_expired(batch);
  const bool over = ended(batch);
  const auto file = [&](bool there, const char* prefix) { return over && there ? Json(prefix + batch.id) : Json(); };
  const std::string end_status = not_run > 0 ? "expired" : "completed";
  const std::int64_t made = unix_seconds(batch.created_at);
  return {
      {"id", batch.id},
      {"object", "batch"},
      {"endpoint", "/v1/chat/completions"},
      {"input_file_id", batch.input_file},
      {"completion_window", "24h"},
      {"created_at", made},
      {"expires_at", made + unix_seconds(kDayMicros)},
      {end_status + "_at", over ? Json(unix_seconds(SystemClock().wall_micros())) : Json()},
      {"status", over ? end_status : "in_progress"},
      {"errors", nullptr},
      {"output_file_id", file(not_run < count, "file-out-")},
      {"error_file_id", file(not_run > 0, "file-err-")},
      {"request_counts", {{"total", count}, {"completed", over ? count - not_run : 0}, {"failed", over ? not_run : 0}}},
      {"metadata", batch.metadata}};
}

FakeReply FakeBatches::results(const FakeRequest& request, const std::string& id, bool run, bool expired) const {
  const One* batch = find(id);
  if (batch == nullptr || !ended(*batch)) return refusal(request, 404, "no results of batch " + id);
  std::string lines;
  for (std::size_t i = batch->items.size(); i-- > 0;) {  // last first
    const bool is_expired = this->expired(i);
    if (is_expired ? !expired : !run) continue;
    const Item& item = batch->items[i];
    lines += to_json_text(batch->anthropic ? anthropic_line(item, is_expired) : openai_line(item, is_expired)) + "\n";
  }
  return lines_reply(lines);
}

Json FakeBatches::openai_line(const Item& item, bool expired) const {
  if (expired) {
    return {{"id", "r"},
            {"custom_id", item.custom_id},
            {"response", nullptr},
            {"error", {{"code", "batch_expired"}, {"message", "the batch expired"}}}};
  }
  return {{"id", "r"},
          {"custom_id", item.custom_id},
          {"response", {{"status_code", 200}, {"request_id", "q"}, {"body", chat_(item.params, false)}}},
          {"error", nullptr}};
}

Json FakeBatches::anthropic_line(const Item& item, bool expired) const {
  if (expired) return {{"custom_id", item.custom_id}, {"result", {{"type", "expired"}}}};
  return {{"custom_id", item.custom_id}, {"result", {{"type", "succeeded"}, {"message", chat_(item.params, true)}}}};
}

}  // namespace cutd
