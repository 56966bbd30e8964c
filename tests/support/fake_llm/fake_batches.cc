#include "support/fake_llm/fake_batches.h"

#include <algorithm>
#include <sstream>

#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"

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

FakeReply not_found() {
  return json_reply({{"error", {{"message", "no such batch"}, {"type", "not_found_error"}}}}, 404);
}

std::string without_query(const std::string& path) { return path.substr(0, path.find('?')); }

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t start = text.find(before);
  if (start == std::string::npos) throw Error(ErrorCode::kBadInput, "the upload has no \"" + before + "\"");
  const std::size_t from = start + before.size();
  return text.substr(from, text.find(after, from) - from);
}

}  // namespace

std::optional<FakeReply> FakeBatches::answer(const FakeRequest& request) {
  const std::string path = without_query(request.path);
  const bool anthropic = path.find("/messages/batches") != std::string::npos;
  const std::size_t at = path.find("/batches");
  if (path.ends_with("/v1/files")) return upload(request);
  if (path.find("/files/") != std::string::npos) {  // file-out-ID and file-err-ID
    const std::string file = between(path, "/files/", "/");
    if (!file.starts_with("file-out-")) return not_found();
    return results(file.substr(std::string("file-out-").size()));
  }
  if (at == std::string::npos) return std::nullopt;
  const std::string rest = path.substr(at + std::string("/batches").size());
  if (rest.empty()) return request.method == "POST" ? create(request, anthropic) : list(anthropic);
  if (rest.ends_with("/results")) return results(rest.substr(1, rest.size() - 1 - std::string("/results").size()));
  return get(rest.substr(1));
}

FakeReply FakeBatches::upload(const FakeRequest& request) {
  if (between(request.body, "name=\"purpose\"\r\n\r\n", "\r\n") != "batch")
    return json_reply({{"error", {{"message", "purpose must be batch"}}}}, 400);
  const std::string content = between(request.body, "Content-Type: application/jsonl\r\n\r\n", "\r\n--");
  const std::string id = "file-in-" + std::to_string(files_.size() + 1);
  files_[id] = content;
  return json_reply({{"id", id}, {"object", "file"}, {"purpose", "batch"}, {"bytes", content.size()}});
}

FakeReply FakeBatches::create(const FakeRequest& request, bool anthropic) {
  const Json body = parse_json(request.body, "request");
  One batch;
  batch.anthropic = anthropic;
  batch.id = (anthropic ? "msgbatch_" : "batch_") + std::to_string(batches_.size() + 1);
  if (anthropic) {
    for (const Json& item : body.at("requests")) batch.items.push_back({item.at("custom_id"), item.at("params")});
  } else {
    batch.metadata = body.value("metadata", Json::object());
    const auto file = files_.find(body.at("input_file_id").get<std::string>());
    if (file == files_.end() || body.value("completion_window", "") != "24h") return not_found();
    std::istringstream lines(file->second);
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
  return json_reply({{"data", data}, {"has_more", false}});
}

FakeReply FakeBatches::get(const std::string& id) {
  for (One& batch : batches_) {
    if (batch.id != id) continue;
    ++batch.asked;
    return json_reply(view(batch));
  }
  return not_found();
}

const FakeBatches::One* FakeBatches::find(const std::string& id) const {
  const auto found = std::find_if(batches_.begin(), batches_.end(), [&](const One& batch) { return batch.id == id; });
  return found == batches_.end() ? nullptr : &*found;
}

Json FakeBatches::view(const One& batch) const {
  const auto count = static_cast<std::int64_t>(batch.items.size());
  if (batch.anthropic) {
    const bool over = ended(batch);
    return {{"id", batch.id},
            {"type", "message_batch"},
            {"processing_status", over ? "ended" : "in_progress"},
            {"request_counts",
             {{"processing", over ? 0 : count},
              {"succeeded", over ? count : 0},
              {"errored", 0},
              {"canceled", 0},
              {"expired", 0}}},
            {"created_at", format_utc(SystemClock().wall_micros())},
            {"results_url", over ? Json("https://elsewhere.example.com/" + batch.id) : Json()}};
  }
  return {{"id", batch.id},
          {"object", "batch"},
          {"endpoint", "/v1/chat/completions"},
          {"status", ended(batch) ? "completed" : "in_progress"},
          {"output_file_id", ended(batch) ? Json("file-out-" + batch.id) : Json()},
          {"error_file_id", nullptr},
          {"request_counts", {{"total", count}, {"completed", ended(batch) ? count : 0}, {"failed", 0}}},
          {"metadata", batch.metadata}};
}

FakeReply FakeBatches::results(const std::string& id) const {
  const One* batch = find(id);
  if (batch == nullptr || !ended(*batch)) return not_found();
  std::string lines;
  for (std::size_t i = batch->items.size(); i-- > 0;) {  // last first
    const Item& item = batch->items[i];
    lines += to_json_text(batch->anthropic ? anthropic_line(item, expired(i)) : openai_line(item, expired(i))) + "\n";
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
