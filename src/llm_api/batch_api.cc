#include "llm_api/batch_api.h"

#include <algorithm>

#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"
#include "llm_api/anthropic_chat.h"
#include "llm_api/openai_chat.h"

namespace cutd {
namespace {

constexpr const char* kOrigin = "the batch API's reply";
constexpr const char* kChatPath = "/v1/chat/completions";

HttpRequest get(const ChatEndpoint& endpoint, const std::string& path) {
  HttpRequest http = api_request(endpoint, path);
  http.post = false;
  return http;
}

// A provider's id becomes a part of a path.
std::string checked_id(const std::string& id) {
  const bool safe = !id.empty() && id.size() <= 200 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  if (!safe) throw Error(ErrorCode::kBadInput, std::string(kOrigin) + ": an id that is none");
  return id;
}

std::string batches_path(WireFormat format) { return format == WireFormat::kOpenAi ? "/batches" : "/messages/batches"; }

std::string openai_failure(const Json& reply) {
  if (!reply.contains("errors") || !reply["errors"].is_object()) return "it failed without a reason";
  const Json errors = json_get_or<Json>(reply["errors"], "data", Json::array(), kOrigin);
  return errors.empty() ? "it failed without a reason" : json_get_or<std::string>(errors[0], "message", "", kOrigin);
}

BatchState read_openai_batch(const Json& reply) {
  BatchState batch;
  batch.id = checked_id(json_get<std::string>(reply, "id", kOrigin));
  batch.status = json_get<std::string>(reply, "status", kOrigin);
  batch.name = json_get_or<std::string>(json_get_or<Json>(reply, "metadata", Json::object(), kOrigin), "cutd_batch", "",
                                        kOrigin);
  for (const char* word : {"completed", "failed", "expired", "cancelled"}) batch.ended |= batch.status == word;
  batch.requests = json_get_or<std::int64_t>(json_get_or<Json>(reply, "request_counts", Json::object(), kOrigin),
                                             "total", 0, kOrigin);
  constexpr std::int64_t kYear5138 = 100'000'000'000;  // beyond are no seconds
  const auto created = json_get_or<std::int64_t>(reply, "created_at", 0, kOrigin);
  if (created > 0 && created < kYear5138) batch.created_at = format_utc(created * 1'000'000);
  if (batch.status == "failed") batch.failure = openai_failure(reply);
  for (const char* key : {"output_file_id", "error_file_id"}) {
    const auto file = json_get_or<std::string>(reply, key, "", kOrigin);
    if (!file.empty()) batch.result_files.push_back(checked_id(file));
  }
  return batch;
}

BatchState read_anthropic_batch(const Json& reply) {
  BatchState batch;
  batch.id = checked_id(json_get<std::string>(reply, "id", kOrigin));
  batch.status = json_get<std::string>(reply, "processing_status", kOrigin);
  batch.ended = batch.status == "ended";
  batch.created_at = json_get_or<std::string>(reply, "created_at", "", kOrigin);
  const Json counts = json_get_or<Json>(reply, "request_counts", Json::object(), kOrigin);
  for (const auto& [name, count] : counts.items())
    batch.requests += count.is_number_integer() ? count.get<std::int64_t>() : 0;
  return batch;
}

BatchResult read_openai_result(const Json& line, const std::string& origin) {
  BatchResult result;
  result.custom_id = json_get<std::string>(line, "custom_id", origin);
  const Json response = json_get_or<Json>(line, "response", Json(), origin);
  if (response.is_object()) {
    result.status = json_get<int>(response, "status_code", origin);
    result.body = to_json_text(json_get<Json>(response, "body", origin));
    return result;
  }
  result.reason = json_get_or<std::string>(json_get_or<Json>(line, "error", Json::object(), origin), "message",
                                           "it was not run", origin);
  return result;
}

BatchResult read_anthropic_result(const Json& line, const std::string& origin) {
  BatchResult result;
  result.custom_id = json_get<std::string>(line, "custom_id", origin);
  const Json outcome = json_get<Json>(line, "result", origin);
  const auto type = json_get<std::string>(outcome, "type", origin);
  if (type == "succeeded") {
    result.status = 200;
    result.body = to_json_text(json_get<Json>(outcome, "message", origin));
  } else if (type == "errored") {
    constexpr int kRefused = 400;
    constexpr int kFault = 500;
    const Json error = json_get_or<Json>(outcome, "error", Json::object(), origin);
    result.body = to_json_text(error);
    result.status = result.body.find("invalid_request") != std::string::npos ? kRefused : kFault;
  } else {
    result.reason = "it was not run: " + type;
  }
  return result;
}

}  // namespace

std::string batch_input(WireFormat format, const std::vector<BatchItem>& items) {
  if (format == WireFormat::kAnthropic) {
    Json requests = Json::array();
    for (const BatchItem& item : items) {
      requests.push_back({{"custom_id", item.custom_id}, {"params", anthropic_request_body(item.chat)}});
    }
    return to_json_text({{"requests", std::move(requests)}});
  }
  std::string lines;
  for (const BatchItem& item : items) {
    lines += to_json_text({{"custom_id", item.custom_id},
                           {"method", "POST"},
                           {"url", kChatPath},
                           {"body", openai_request_body(item.chat)}}) +
             "\n";
  }
  return lines;
}

HttpRequest batch_upload_request(const ChatEndpoint& endpoint, const std::string& name, const std::string& input) {
  HttpRequest http = api_request(endpoint, "/files");
  const std::string boundary = "cutd-" + sha256_hex(name + input).substr(0, 32);
  http.headers.push_back({"Content-Type", "multipart/form-data; boundary=" + boundary});
  http.body = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--" + boundary +
              "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name +
              ".jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n" + input + "\r\n--" + boundary + "--\r\n";
  return http;
}

std::string read_file_id(const Json& reply) { return checked_id(json_get<std::string>(reply, "id", kOrigin)); }

HttpRequest batch_create_request(const ChatEndpoint& endpoint, const std::string& name,
                                 const std::string& file_or_input) {
  HttpRequest http = api_request(endpoint, batches_path(endpoint.format));
  http.headers.push_back({"Content-Type", "application/json"});
  http.body = endpoint.format == WireFormat::kAnthropic ? file_or_input
                                                        : to_json_text({{"input_file_id", file_or_input},
                                                                        {"endpoint", kChatPath},
                                                                        {"completion_window", "24h"},
                                                                        {"metadata", {{"cutd_batch", name}}}});
  return http;
}

HttpRequest batch_get_request(const ChatEndpoint& endpoint, const std::string& id) {
  return get(endpoint, batches_path(endpoint.format) + "/" + checked_id(id));
}

HttpRequest batch_list_request(const ChatEndpoint& endpoint, const std::string& after) {
  const char* cursor = endpoint.format == WireFormat::kOpenAi ? "&after=" : "&after_id=";
  return get(endpoint,
             batches_path(endpoint.format) + "?limit=100" + (after.empty() ? "" : cursor + checked_id(after)));
}

BatchState read_batch(WireFormat format, const Json& reply) {
  return format == WireFormat::kOpenAi ? read_openai_batch(reply) : read_anthropic_batch(reply);
}

BatchPage read_batch_page(WireFormat format, const Json& reply) {
  BatchPage page;
  for (const Json& batch : json_get<std::vector<Json>>(reply, "data", kOrigin)) {
    page.batches.push_back(read_batch(format, batch));
  }
  page.more = json_get_or<bool>(reply, "has_more", false, kOrigin) && !page.batches.empty();
  return page;
}

std::vector<HttpRequest> batch_result_requests(const ChatEndpoint& endpoint, const BatchState& batch) {
  if (endpoint.format == WireFormat::kAnthropic)
    return {get(endpoint, batches_path(endpoint.format) + "/" + checked_id(batch.id) + "/results")};
  std::vector<HttpRequest> requests;
  for (const std::string& file : batch.result_files) requests.push_back(get(endpoint, "/files/" + file + "/content"));
  return requests;
}

std::vector<BatchResult> read_batch_results(WireFormat format, const std::string& lines) {
  std::vector<BatchResult> results;
  parse_json_lines(lines, "batch results", [&](const Json& value, const std::string& place) {
    results.push_back(format == WireFormat::kOpenAi ? read_openai_result(value, place)
                                                    : read_anthropic_result(value, place));
  });
  return results;
}

}  // namespace cutd
